package io.ewok.gds.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigIncludeContext;
import com.typesafe.config.ConfigIncluder;
import com.typesafe.config.ConfigIncluderClasspath;
import com.typesafe.config.ConfigIncluderFile;
import com.typesafe.config.ConfigIncluderURL;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigSyntax;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A configuration file: HOCON, of which JSON is a part, flattened to settings. {@code store { pool
 * = 64M }} and {@code store.pool = 64M} are the same, a list is its items with commas between them,
 * and what is null is not said. Variables of the environment are as in {@code ${?POOL}}.
 *
 * <p>It is one file: what includes others is refused, since a mistake in them would have no line
 * here, and HOCON would load them from anywhere.
 */
final class ConfigFile {
  /** Much more than all settings need; what is larger is another file. */
  private static final int BYTES_MAX = 1 << 20;

  private static final String INCLUDE = "include";

  private final Path path;
  private final List<Configured> values = new ArrayList<>();

  private ConfigFile(Path path) {
    this.path = path;
  }

  /**
   * Reads a file, and says nothing about whether there are such settings.
   *
   * @return what it sets, by lines
   * @throws CommandFailure if it cannot be read, or is not HOCON
   */
  static List<Configured> read(Path path) {
    ConfigFile file = new ConfigFile(path);
    Config config = file.parse(file.text());
    file.flatten("", config.root());
    return file.values;
  }

  private String text() {
    try (InputStream in = Files.newInputStream(path)) {
      byte[] bytes = in.readNBytes(BYTES_MAX + 1);
      if (bytes.length > BYTES_MAX) {
        throw CommandFailure.failed("this is too long for a configuration: path=" + path);
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw CommandFailure.failed("a configuration is UTF-8, and this is not: path=" + path, e);
    } catch (IOException e) {
      throw CommandFailure.failed("the configuration cannot be read: " + Failures.message(e), e);
    }
  }

  private Config parse(String text) {
    ConfigParseOptions options =
        ConfigParseOptions.defaults()
            .setOriginDescription(path.toString())
            .setSyntax(ConfigSyntax.CONF)
            .setIncluder(new NoIncludes());
    try {
      return ConfigFactory.parseString(text, options).resolve();
    } catch (NoIncludes.Refused e) {
      throw CommandFailure.usage(
          includeLine(text) + "a configuration is one file and includes no other");
    } catch (ConfigException e) {
      throw CommandFailure.usage(message(e));
    } catch (StackOverflowError e) {
      throw CommandFailure.usage(path + ": braces or brackets are nested too deeply");
    }
  }

  private String includeLine(String text) {
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).strip().startsWith(INCLUDE)) {
        return path + ":" + (i + 1) + ": ";
      }
    }
    return path + ": ";
  }

  /** The library puts the place in front of its message, in another form. */
  private String message(ConfigException e) {
    ConfigOrigin origin = e.origin();
    String message = e.getMessage();
    if (origin == null) {
      return path + ": " + message;
    }
    String prefix = origin.description() + ": ";
    return place(origin)
        + ": "
        + (message.startsWith(prefix) ? message.substring(prefix.length()) : message);
  }

  private String place(ConfigOrigin origin) {
    return origin.lineNumber() > 0
        ? path + ":" + origin.lineNumber()
        : path + " (" + origin.description() + ")";
  }

  private void flatten(String prefix, ConfigObject object) {
    List<Map.Entry<String, ConfigValue>> entries = new ArrayList<>(object.entrySet());
    entries.sort(
        Comparator.comparingInt(
                (Map.Entry<String, ConfigValue> entry) -> entry.getValue().origin().lineNumber())
            .thenComparing(Map.Entry::getKey));
    for (Map.Entry<String, ConfigValue> entry : entries) {
      String name = prefix + entry.getKey();
      ConfigValue value = entry.getValue();
      switch (value) {
        case ConfigObject inner -> flatten(name + ".", inner);
        case ConfigList list ->
            add(
                name,
                list,
                list.stream().map(item -> item(name, item)).collect(Collectors.joining(",")));
        case ConfigValue nothing when nothing.valueType() == ConfigValueType.NULL -> {}
        default -> add(name, value, scalar(value));
      }
    }
  }

  private void add(String name, ConfigValue value, String text) {
    values.add(new Configured(name, text, place(value.origin())));
  }

  private String item(String name, ConfigValue item) {
    return switch (item.valueType()) {
      case STRING, NUMBER, BOOLEAN -> scalar(item);
      default ->
          throw CommandFailure.usage(
              place(item.origin()) + ": a list has values, not lists, objects or null: " + name);
    };
  }

  /** A number as it was written, since what the library makes of it may look different. */
  private static String scalar(ConfigValue value) {
    return value.valueType() == ConfigValueType.STRING
        ? (String) value.unwrapped()
        : value.render(ConfigRenderOptions.concise());
  }

  private static final class NoIncludes
      implements ConfigIncluder, ConfigIncluderFile, ConfigIncluderURL, ConfigIncluderClasspath {
    private static final class Refused extends RuntimeException {
      private static final long serialVersionUID = 1L;
    }

    @Override
    public ConfigIncluder withFallback(ConfigIncluder fallback) {
      return this;
    }

    @Override
    public ConfigObject include(ConfigIncludeContext context, String what) {
      throw new Refused();
    }

    @Override
    public ConfigObject includeFile(ConfigIncludeContext context, File what) {
      throw new Refused();
    }

    @Override
    public ConfigObject includeURL(ConfigIncludeContext context, URL what) {
      throw new Refused();
    }

    @Override
    public ConfigObject includeResources(ConfigIncludeContext context, String what) {
      throw new Refused();
    }
  }
}
