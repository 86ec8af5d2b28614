package io.ewok.gds.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.function.Consumer;

/**
 * JSON lines: one object a line on standard output.
 *
 * <p>A key or value is a string under its name ({@code "key"}) when its bytes are valid UTF-8, else
 * the bytes in base64 under the name with {@code _base64} appended ({@code "key_base64"}), so that
 * a reader can always tell which it has.
 *
 * <p>Confined to the command's thread. Errors are those of {@link Streams}.
 *
 * <pre>{@code
 * json.line(object -> object.bytes("key", key).number("count", 3));
 * }</pre>
 */
final class JsonOutput {
  private static final JsonFactory FACTORY = new JsonFactory();

  private final Streams streams;

  JsonOutput(Streams streams) {
    this.streams = streams;
  }

  /** Prints one object. */
  void line(Consumer<Fields> body) {
    StringWriter text = new StringWriter();
    try (JsonGenerator generator = FACTORY.createGenerator(text)) {
      generator.setPrettyPrinter(new MinimalPrettyPrinter());
      generator.writeStartObject();
      body.accept(new Fields(generator));
      generator.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    streams.out(text.append('\n').toString());
  }

  /** The fields of the object being written. */
  static final class Fields {
    private final JsonGenerator generator;

    private Fields(JsonGenerator generator) {
      this.generator = generator;
    }

    Fields bytes(String name, byte[] bytes) {
      String text = ByteText.utf8OrNull(bytes);
      return write(
          () -> {
            if (text != null) {
              generator.writeStringField(name, text);
            } else {
              generator.writeBinaryField(name + "_base64", bytes);
            }
          });
    }

    Fields text(String name, String text) {
      return write(() -> generator.writeStringField(name, text));
    }

    Fields number(String name, long number) {
      return write(() -> generator.writeNumberField(name, number));
    }

    /** A fraction rounded to six digits; one that is not a number is null. */
    Fields number(String name, double number) {
      return write(
          () -> {
            if (Double.isFinite(number)) {
              generator.writeNumberField(name, Math.round(number * 1e6) / 1e6);
            } else {
              generator.writeNullField(name);
            }
          });
    }

    Fields flag(String name, boolean value) {
      return write(() -> generator.writeBooleanField(name, value));
    }

    Fields numbers(String name, Iterable<? extends Number> numbers) {
      return write(
          () -> {
            generator.writeArrayFieldStart(name);
            for (Number number : numbers) {
              generator.writeNumber(number.longValue());
            }
            generator.writeEndArray();
          });
    }

    Fields texts(String name, Iterable<String> texts) {
      return write(
          () -> {
            generator.writeArrayFieldStart(name);
            for (String text : texts) {
              generator.writeString(text);
            }
            generator.writeEndArray();
          });
    }

    private Fields write(Write write) {
      try {
        write.run();
      } catch (IOException e) {
        throw new UncheckedIOException(e); // The generator writes to memory.
      }
      return this;
    }
  }

  @FunctionalInterface
  private interface Write {
    void run() throws IOException;
  }
}
