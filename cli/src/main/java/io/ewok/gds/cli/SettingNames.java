package io.ewok.gds.cli;

import io.ewok.gds.allocator.Setting;
import java.util.Iterator;
import java.util.stream.Stream;

/** The names of all settings, for shells to complete; made by picocli. */
final class SettingNames implements Iterable<String> {

  /** Those that the command reads, each with the equals sign that comes behind it. */
  static final class Assigned implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return KnownSettings.stores().stream()
          .map(Setting::name)
          .sorted()
          .map(n -> n + "=")
          .iterator();
    }
  }

  @Override
  public Iterator<String> iterator() {
    return Stream.concat(KnownSettings.stores().stream(), KnownSettings.programs().stream())
        .map(Setting::name)
        .sorted()
        .iterator();
  }
}
