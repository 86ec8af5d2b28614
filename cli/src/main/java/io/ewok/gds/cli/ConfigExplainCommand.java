package io.ewok.gds.cli;

import io.ewok.gds.allocator.Setting;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code gds config explain}: what a setting means, what it is, when to change it, what it costs.
 */
@Command(
    name = "explain",
    description =
        "Tell what settings mean, what they are here and why, when to change them, and what it costs.",
    footer = {
      "%nExamples:",
      "  gds config explain store.pool",
      "  gds config explain store.family.journal.ttl",
      "  gds config explain throttle --json"
    })
final class ConfigExplainCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Parameters(
      index = "0",
      paramLabel = "KEY",
      completionCandidates = SettingNames.class,
      description = "A setting, or how the names of several begin up to a dot.")
  private String key;

  @Option(
      names = "--json",
      description =
          "Print a JSON object for each: name, meaning, value, origin, values, default, effect, "
              + "change, cost, gds (whether the command reads it, or programs alone).")
  private boolean json;

  ConfigExplainCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() {
    List<Setting> settings = named();
    if (settings.isEmpty()) {
      throw CommandFailure.usage(
          "there is no such setting; the nearest is "
              + KnownSettings.nearest(key)
              + ": key="
              + key);
    }
    // Also with mistakes: who corrects them may have to look up how.
    List<Configured> values = store.configuration().effective();
    List<String> texts = new ArrayList<>();
    for (Setting setting : settings) {
      Configured value =
          values.stream()
              .filter(each -> each.name().equals(setting.name()))
              .findAny()
              .orElseGet(() -> unsaid(setting, values));
      if (json) {
        print(setting, value);
      } else {
        texts.add(text(setting, value));
      }
    }
    streams.out(String.join("\n", texts));
    return ExitStatus.OK;
  }

  private List<Setting> named() {
    Optional<Setting> exact = KnownSettings.find(key);
    if (exact.isPresent()) {
      return List.of(exact.get());
    }
    String beginning = key.endsWith(".") ? key : key + ".";
    return Stream.concat(KnownSettings.stores().stream(), KnownSettings.programs().stream())
        .filter(setting -> setting.name().startsWith(beginning))
        .toList();
  }

  /** A family has what its store has, if nothing is said of it. */
  private static Configured unsaid(Setting setting, List<Configured> values) {
    String ofStore = KnownSettings.ofStore(setting.name());
    return values.stream()
        .filter(each -> each.name().equals(ofStore))
        .findAny()
        .map(each -> new Configured(setting.name(), each.value(), ofStore + ", " + each.origin()))
        .orElseGet(() -> Configuration.byDefault(setting));
  }

  private static String text(Setting setting, Configured value) {
    Table table = new Table();
    table.row("  is", shown(value.value()) + " (" + value.origin() + ")");
    table.row("  default", shown(setting.byDefault()));
    table.row("  values", setting.form());
    table.row("  change it when", setting.change());
    table.row("  costs", setting.cost());
    KnownSettings.effect(setting.name()).ifPresent(effect -> table.row("  takes effect", effect));
    table.row("  read by", readers(setting.name()));
    return setting.name() + ": " + setting.meaning() + "\n" + table;
  }

  private static String readers(String name) {
    if (name.equals(KnownSettings.MEMORY)) {
      return "gds alone";
    }
    return KnownSettings.isOfStores(name)
        ? "gds, and programs that open stores"
        : "programs alone, gds has no use for it";
  }

  private static String shown(String value) {
    return value.isEmpty() ? "-" : value;
  }

  private void print(Setting setting, Configured value) {
    new JsonOutput(streams)
        .line(
            line ->
                line.text("name", setting.name())
                    .text("meaning", setting.meaning())
                    .text("value", value.value())
                    .text("origin", value.origin())
                    .text("values", setting.form())
                    .text("default", setting.byDefault())
                    .text("effect", KnownSettings.effect(setting.name()).orElse(""))
                    .text("change", setting.change())
                    .text("cost", setting.cost())
                    .flag("gds", KnownSettings.isOfStores(setting.name())));
  }
}
