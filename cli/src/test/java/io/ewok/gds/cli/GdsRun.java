package io.ewok.gds.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One run of the command inside the test's JVM, with what it printed. */
record GdsRun(int status, String out, String err) {

  /** Runs with an empty standard input. */
  static GdsRun gds(Object... args) {
    return gdsReading("", args);
  }

  /** Runs with a text on standard input. */
  static GdsRun gdsReading(String in, Object... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Streams streams =
        new Streams(new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)), out, err);
    String[] words = Arrays.stream(args).map(Object::toString).toArray(String[]::new);
    int status = GdsCommand.run(streams, words);
    return new GdsRun(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** Requires success without a word on standard error, and returns what was printed. */
  String ok() {
    assertEquals("", err);
    assertEquals(ExitStatus.OK, status);
    return out;
  }

  /** Requires a failure told in one line, and returns that line. */
  String failure(int expectedStatus) {
    assertEquals(expectedStatus, status, err);
    List<String> lines = err.lines().filter(line -> line.startsWith("gds: ")).toList();
    assertEquals(1, lines.size(), err);
    assertEquals("", out);
    return lines.getFirst();
  }

  /** Parses the JSON lines that were printed; a value is a String, Long, Double, List or null. */
  List<Map<String, Object>> json() {
    return out.lines().map(GdsRun::parse).toList();
  }

  private static Map<String, Object> parse(String line) {
    Map<String, Object> object = new LinkedHashMap<>();
    try (JsonParser parser = new JsonFactory().createParser(line)) {
      assertEquals(JsonToken.START_OBJECT, parser.nextToken());
      for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
        object.put(name, value(parser, parser.nextToken()));
      }
      assertEquals(JsonToken.END_OBJECT, parser.currentToken());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return object;
  }

  private static Object value(JsonParser parser, JsonToken token) throws IOException {
    return switch (token) {
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT -> parser.getLongValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE, VALUE_FALSE -> parser.getBooleanValue();
      case VALUE_NULL -> null;
      case START_ARRAY -> {
        List<Object> items = new ArrayList<>();
        for (JsonToken item = parser.nextToken();
            item != JsonToken.END_ARRAY;
            item = parser.nextToken()) {
          items.add(value(parser, item));
        }
        yield items;
      }
      default -> throw new AssertionError("unexpected " + token);
    };
  }
}
