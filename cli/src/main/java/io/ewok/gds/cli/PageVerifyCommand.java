package io.ewok.gds.cli;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.PageFindings;
import io.ewok.gds.buffers.PageInspection;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gds page verify}: checks the checksums of a whole page file. */
@Command(
    name = "verify",
    description = {
      "Read every page of a file and check its checksum; with the key of an encrypted file",
      "(--key-file) also whether it was tampered with.",
      "Bad pages are listed, by number. A program that writes the file meanwhile can make pages "
          + "look bad that are not; one that opens the file after a crash may repair torn ones."
    },
    footer = {
      "%nExamples:",
      "  gds page verify data.pages",
      "  gds page verify data.pages --json | jq 'select(.page) | .page'",
      "%nExit status: 0 all pages are good, 1 some are not or the file cannot be read."
    })
final class PageVerifyCommand implements Callable<Integer> {
  /** So many bad pages are listed: those that were found first. */
  private static final int LISTED_MAX = 10_000;

  private final Streams streams;

  @Mixin private PageArguments arguments;

  @Option(
      names = "--json",
      description = "Print a JSON object per bad page, then one with the counts.")
  private boolean json;

  PageVerifyCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    int threads = Runtime.getRuntime().availableProcessors();
    MemoryBudget budget =
        MemoryBudget.root(
            "page verify", PageInspection.WINDOW_BYTES + threads * PageInspection.VERIFY_BYTES);
    try (IoEngine engine = IoEngines.open(arguments.engine().options());
        PageInspection inspection = arguments.open(engine, budget)) {
      long bytes = inspection.pageCount() * inspection.pageSize().bytes();
      Tally tally;
      long nanos;
      try (Progress progress = Progress.start(streams, "verifying", bytes, Units::bytes)) {
        tally = new Tally(progress, inspection.pageSize().bytes());
        long start = System.nanoTime();
        verify(inspection, tally, threads);
        nanos = System.nanoTime() - start;
      }
      print(inspection, tally, nanos);
      long bad = tally.bad.sum();
      if (bad != 0) {
        TornPages mode = inspection.tornPagesOrNull();
        if (mode == TornPages.DOUBLE_WRITE || mode == TornPages.BACKUP) {
          streams.note("If a power cut has torn them, opening the file for writing repairs them.");
        }
        throw CommandFailure.failed(
            "%s of this file %s not what was written: path=%s"
                .formatted(
                    bad == 1 ? "a page" : Units.count(bad) + " pages",
                    bad == 1 ? "is" : "are",
                    arguments.file()));
      }
      return ExitStatus.OK;
    }
  }

  private static void verify(PageInspection inspection, Tally tally, int threads)
      throws IOException {
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      List<Future<Void>> callers = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        callers.add(
            executor.submit(
                () -> {
                  inspection.verify(tally);
                  return null;
                }));
      }
      for (Future<Void> caller : callers) {
        caller.get();
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IllegalStateException("verifying failed: cause=" + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw CommandFailure.failed("interrupted", e);
    }
  }

  private void print(PageInspection inspection, Tally tally, long nanos) {
    int pageBytes = inspection.pageSize().bytes();
    JsonOutput output = new JsonOutput(streams);
    for (Map.Entry<Long, String> bad : tally.listed.entrySet()) {
      long page = bad.getKey();
      if (json) {
        output.line(
            line ->
                line.number("page", page)
                    .number("offset", page * pageBytes)
                    .text("reason", bad.getValue()));
      } else {
        streams.out("page %d, at byte %d: %s\n".formatted(page, page * pageBytes, bad.getValue()));
      }
    }
    long bytes = tally.pages.sum() * pageBytes;
    if (json) {
      output.line(
          line ->
              line.text("file", arguments.file().toString())
                  .number("page_bytes", pageBytes)
                  .text("torn_pages", String.valueOf(inspection.tornPagesOrNull()))
                  .number("pages", tally.pages.sum())
                  .number("never_written", tally.neverWritten.sum())
                  .number("free", tally.free.sum())
                  .number("bad", tally.bad.sum())
                  .number("seconds", Units.inSeconds(nanos))
                  .number("bytes_per_second", Units.perSecond(bytes, nanos)));
      return;
    }
    long unlisted = tally.bad.sum() - tally.listed.size();
    if (unlisted > 0) {
      streams.out("and %s more\n".formatted(Units.count(unlisted)));
    }
    streams.out(
        "%s pages of %s: %s never written, %s free, %s bad; %s in %s, %s/s\n"
            .formatted(
                Units.count(tally.pages.sum()),
                Units.bytes(pageBytes),
                Units.count(tally.neverWritten.sum()),
                Units.count(tally.free.sum()),
                Units.count(tally.bad.sum()),
                Units.bytes(bytes),
                Units.seconds(nanos),
                Units.bytes(Units.perSecond(bytes, nanos))));
  }

  /** Sums up what all threads find. */
  private static final class Tally implements PageFindings {
    private final Progress progress;
    private final int pageBytes;
    private final LongAdder pages = new LongAdder();
    private final LongAdder neverWritten = new LongAdder();
    private final LongAdder free = new LongAdder();
    private final LongAdder bad = new LongAdder();
    private final ConcurrentSkipListMap<Long, String> listed = new ConcurrentSkipListMap<>();

    Tally(Progress progress, int pageBytes) {
      this.progress = progress;
      this.pageBytes = pageBytes;
    }

    @Override
    public void inspected(int pages, int neverWritten, int free) {
      this.pages.add(pages);
      this.neverWritten.add(neverWritten);
      this.free.add(free);
      progress.add((long) pages * pageBytes);
    }

    @Override
    public void bad(long page, String reason) {
      bad.increment();
      if (bad.sum() <= LISTED_MAX) {
        listed.put(page, reason);
      }
    }
  }
}
