package io.ewok.gds.cli;

import io.ewok.gds.lsm.StoreWatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds top}: shows what a store that somebody has open is doing. */
@Command(
    name = "top",
    description = {
      "Show what a store does that another process has open: rates since the last view, memory,",
      "waits and levels. It ends when the store is closed, or with Ctrl-C.",
      "The store is not opened, and writes its counters only while somebody looks."
    },
    footer = {
      "%nExamples:",
      "  gds top /var/lib/mydata",
      "  gds top /var/lib/mydata --count 1",
      "  gds top /var/lib/mydata --interval 10 --json >> top.jsonl"
    })
final class TopCommand implements Callable<Integer> {
  /** How often one says that one still looks: well within {@link StoreWatch#LOOK_LIFE}. */
  private static final Duration REFRESH = Duration.ofSeconds(1);

  /** How often one looks whether there is something new. */
  private static final Duration LOOK = Duration.ofMillis(50);

  /** A store that has not answered by then is told of. */
  private static final Duration ANSWER = Duration.ofSeconds(10);

  private static final String TO_THE_TOP = "\u001B[H";
  private static final String ERASE_LINE_END = "\u001B[K";
  private static final String ERASE_BELOW = "\u001B[J";

  private final Streams streams;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Option(
      names = "--interval",
      paramLabel = "SECONDS",
      defaultValue = "1",
      description = "Seconds between two views, 1 to 3600. Default: ${DEFAULT-VALUE}.")
  private int intervalSeconds;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = "0",
      description = "Views before it ends; 0 for no end. Default: ${DEFAULT-VALUE}.")
  private long count;

  @Option(names = "--json", description = "Print a JSON object per view: rates and all counters.")
  private boolean json;

  TopCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (intervalSeconds < 1 || intervalSeconds > 3_600) {
      throw CommandFailure.usage("from 1 to 3600: --interval=" + intervalSeconds);
    }
    if (count < 0) {
      throw CommandFailure.usage("at least 0: --count=" + count);
    }
    if (Files.isRegularFile(directory)) {
      throw CommandFailure.failed("this is not a directory: path=" + directory);
    }
    boolean isTerminal = !json && Streams.outputIsTerminal();
    try (StoreWatch watch = StoreWatch.open(directory)) {
      StoreWatch.Reading before = first(watch);
      for (long views = 0; count == 0 || views < count; views++) {
        if (!pause(watch)) {
          break;
        }
        Optional<StoreWatch.Reading> read = watch.read();
        StoreWatch.Reading now = read.orElse(before);
        show(new TopView(before, now), System.currentTimeMillis() - now.millis(), isTerminal);
        before = now;
      }
    }
    return ExitStatus.OK;
  }

  /** Waits for the answer to the first look. */
  private StoreWatch.Reading first(StoreWatch watch) throws IOException, InterruptedException {
    long askedNanos = System.nanoTime();
    long asked = System.currentTimeMillis(); // the store's answer has its time by this clock
    while (System.nanoTime() - askedNanos < ANSWER.toNanos()) {
      Optional<StoreWatch.Reading> read = watch.read();
      if (!watch.isOpen()) {
        break;
      }
      // What somebody has asked for who looked before may be from long ago.
      if (read.isPresent() && read.get().millis() >= asked) {
        return read.get();
      }
      Thread.sleep(LOOK);
    }
    throw CommandFailure.failed(
        watch.isOpen()
            ? "the store does not answer: path=" + directory
            : "no process has a store open here: path=" + directory);
  }

  /** Has the store go on showing its counters; false if it was closed. */
  private boolean pause(StoreWatch watch) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    long nanos = TimeUnit.SECONDS.toNanos(intervalSeconds);
    for (long left = nanos; left > 0; left = nanos - (System.nanoTime() - begin)) {
      if (!watch.isOpen()) {
        return false;
      }
      Optional<StoreWatch.Reading> unused = watch.read();
      TimeUnit.NANOSECONDS.sleep(Math.min(left, REFRESH.toNanos()));
    }
    return watch.isOpen();
  }

  private void show(TopView view, long ageMillis, boolean isTerminal) {
    if (json) {
      new JsonOutput(streams).line(view::write);
    } else {
      String text = view.text(directory.toAbsolutePath().normalize().toString(), ageMillis);
      streams.out(
          isTerminal
              ? TO_THE_TOP
                  + Streams.CUT_LINES
                  + text.replace("\n", ERASE_LINE_END + "\n")
                  + Streams.WRAP_LINES
                  + ERASE_BELOW
              : text + "\n");
    }
    streams.flush();
  }
}
