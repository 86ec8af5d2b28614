package io.ewok.gds.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Results of benchmarks in a file: a JSON object a line, as {@code --json} prints them. */
final class ResultFile {
  private static final JsonFactory JSON = new JsonFactory();

  private ResultFile() {}

  /** Writes rows in place of what is there. */
  static void write(Path file, List<Comparison> rows) throws IOException {
    Files.write(file, rows.stream().map(Comparison::toJson).toList());
  }

  /**
   * Reads rows.
   *
   * @throws IOException with file and line if it is none
   */
  static List<Comparison> read(Path file) throws IOException {
    List<Comparison> rows = new ArrayList<>();
    int number = 0;
    for (String line : Files.readAllLines(file)) {
      number++;
      if (!line.isBlank()) {
        try {
          rows.add(row(fields(line)));
        } catch (IllegalArgumentException | JsonProcessingException e) {
          throw new IOException(
              "not a row of results: file=%s line=%d reason=%s"
                  .formatted(file, number, e.getMessage().lines().findFirst().orElse("")),
              e);
        }
      }
    }
    return rows;
  }

  private static Comparison row(Map<String, Object> fields) {
    return new Comparison(
        text(fields, "layer"),
        text(fields, "case"),
        text(fields, "unit"),
        number(fields, "ours"),
        fields.get("rival") == null ? null : text(fields, "rival"),
        number(fields, "theirs"),
        number(fields, "ratio"),
        number(fields, "low"),
        number(fields, "high"),
        (int) number(fields, "repeats"));
  }

  private static String text(Map<String, Object> fields, String name) {
    if (fields.get(name) instanceof String text) {
      return text;
    }
    throw new IllegalArgumentException("there is no text \"" + name + "\"");
  }

  /** Not a number for null, which it is printed as. */
  private static double number(Map<String, Object> fields, String name) {
    Object value = fields.get(name);
    if (value instanceof Double number) {
      return number;
    }
    if (value == null && fields.containsKey(name)) {
      return Double.NaN;
    }
    throw new IllegalArgumentException("there is no number \"" + name + "\"");
  }

  private static Map<String, Object> fields(String line) throws IOException {
    Map<String, Object> fields = new HashMap<>();
    try (JsonParser parser = JSON.createParser(line)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IllegalArgumentException("it is no object");
      }
      for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
        JsonToken token = parser.nextToken();
        fields.put(
            name,
            token.isNumeric()
                ? (Object) parser.getDoubleValue()
                : token == JsonToken.VALUE_NULL ? null : parser.getText());
        parser.skipChildren();
      }
    }
    return fields;
  }
}
