package io.ewok.gds.cli;

import com.typesafe.config.ConfigUtil;
import io.ewok.gds.allocator.Setting;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The configuration file with all settings, made of what the options that read them say. A setting
 * is behind a number sign without a blank, so that it is one once the sign is gone; all else is
 * comment.
 */
final class ConfigReference {
  private static final int WIDTH = 100;

  /** What HOCON takes as it is; all else has quotation marks. */
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9%./-]+");

  private ConfigReference() {}

  static String text() {
    StringBuilder text = new StringBuilder();
    paragraph(
        text,
        "",
        "Settings of GDS, for gds --config FILE or the variable GDS_CONF. A name behind a number"
            + " sign shows its default; take the sign away to change it. The file is HOCON: names"
            + " may be nested, as in store { pool = 64M }, lists are [none, lz4], and what has"
            + " commas, colons or blanks needs quotation marks. Sizes are bytes, or have K, M, G"
            + " or T, powers of 1024.");
    text.append('\n');
    paragraph(
        text,
        "",
        "Of one family, most of what begins with store. can be said as store.family.NAME. and the"
            + " rest of the name.");
    for (Setting setting : KnownSettings.stores()) {
      add(text, setting);
    }
    text.append('\n');
    paragraph(
        text,
        "",
        "What follows is read by programs that use the layers below the store; gds has no use for"
            + " it, and checks it.");
    for (Setting setting : KnownSettings.programs()) {
      add(text, setting);
    }
    return text.toString();
  }

  private static void add(StringBuilder text, Setting setting) {
    text.append('\n');
    paragraph(text, "", sentence(setting.meaning()));
    paragraph(text, "  ", "Values: " + setting.form() + ".");
    paragraph(text, "  ", "Change it when " + setting.change() + ".");
    paragraph(text, "  ", "Costs: " + setting.cost() + ".");
    KnownSettings.effect(setting.name())
        .ifPresent(effect -> paragraph(text, "  ", "A change takes effect " + effect + "."));
    text.append('#')
        .append(setting.name())
        .append(" = ")
        .append(value(setting.byDefault()))
        .append('\n');
  }

  private static String sentence(String meaning) {
    return Character.toUpperCase(meaning.charAt(0)) + meaning.substring(1) + ".";
  }

  /** A text as HOCON has it. */
  static String value(String text) {
    return PLAIN.matcher(text).matches() ? text : ConfigUtil.quoteString(text);
  }

  private static void paragraph(StringBuilder text, String indent, String words) {
    String start = "# " + indent;
    StringBuilder line = new StringBuilder(start);
    for (String word : List.of(words.split(" ", -1))) {
      if (line.length() > start.length() && line.length() + 1 + word.length() > WIDTH) {
        text.append(line).append('\n');
        line = new StringBuilder(start);
      }
      line.append(line.length() > start.length() ? " " : "").append(word);
    }
    text.append(line).append('\n');
  }
}
