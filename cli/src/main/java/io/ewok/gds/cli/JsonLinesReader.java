package io.ewok.gds.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * Records as {@link RecordFormat#JSONL} says: objects one after the other, with a {@code key} and a
 * {@code value} as text, or in base64 as {@code key_base64} and {@code value_base64}, and perhaps a
 * {@code family}. Fields of other names are passed over.
 */
final class JsonLinesReader implements EntryReader {
  /** A value may be as long as a store takes, and longer in base64. */
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
          .build();

  private final String inputName;
  private final CountingInput counter;
  private final JsonParser parser;
  private String family;

  JsonLinesReader(String inputName, InputStream in) throws IOException {
    this.inputName = inputName;
    this.counter = new CountingInput(in);
    this.parser = FACTORY.createParser(counter);
  }

  @Override
  public Entry next() throws IOException {
    try {
      JsonToken token = parser.nextToken();
      if (token == null) {
        return null;
      }
      if (token != JsonToken.START_OBJECT) {
        throw failure("it is no object", null);
      }
      return readObject();
    } catch (JsonProcessingException e) {
      throw failure(e.getOriginalMessage(), e);
    }
  }

  private Entry readObject() throws IOException {
    family = null;
    byte[] key = null;
    byte[] value = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken token = parser.nextToken();
      switch (name) {
        case "family" -> {
          requireText(name, token);
          family = parser.getText();
        }
        case "key", "key_base64" -> key = once(key, name, token);
        case "value", "value_base64" -> value = once(value, name, token);
        default -> parser.skipChildren();
      }
    }
    if (key == null || value == null) {
      throw failure("it has no key or no value", null);
    }
    return new Entry(key, value);
  }

  private byte[] once(byte[] before, String name, JsonToken token) throws IOException {
    requireText(name, token);
    if (before != null) {
      throw failure("it has two of " + name, null);
    }
    return name.endsWith("_base64")
        ? parser.getBinaryValue()
        : parser.getText().getBytes(StandardCharsets.UTF_8);
  }

  private void requireText(String name, JsonToken token) {
    if (token != JsonToken.VALUE_STRING) {
      throw failure(name + " is no string", null);
    }
  }

  private CommandFailure failure(String what, Throwable cause) {
    String message =
        "%s: not a record, %s: line=%d"
            .formatted(inputName, what, parser.currentLocation().getLineNr());
    return cause == null ? CommandFailure.failed(message) : CommandFailure.failed(message, cause);
  }

  @Override
  public String familyOrNull() {
    return family;
  }

  @Override
  public long consumedBytes() {
    return counter.count();
  }

  @Override
  public void close() throws IOException {
    parser.close();
  }
}
