package io.ewok.gds.cli;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.PageFormat;
import io.ewok.gds.buffers.PageInspection;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gds page dump}: prints pages for people. */
@Command(
    name = "dump",
    description = {
      "List the pages of a file, a line each, or print one with its header, items and bytes.",
      "Items are shown where the page has such; what else is in a page only its owner knows.",
      "Of an encrypted file only headers can be shown without its key (--key-file)."
    },
    footer = {
      "%nExamples:",
      "  gds page dump data.pages",
      "  gds page dump data.pages --page 3",
      "  gds page dump data.pages --json | jq 'select(.state == \"bad\")'",
      "%nExit status: 0 what was printed is good, 1 a page of it is not, or cannot be read."
    })
final class PageDumpCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private PageArguments arguments;

  @Option(
      names = "--page",
      paramLabel = "N",
      description = "Print this one in full; 0 is the file's own.")
  private Long page;

  @Option(names = "--json", description = "Print a JSON object per page.")
  private boolean json;

  PageDumpCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    MemoryBudget budget = MemoryBudget.root("page dump", PageInspection.WINDOW_BYTES);
    try (IoEngine engine = IoEngines.open(arguments.engine().options());
        PageInspection inspection = arguments.open(engine, budget)) {
      return (page == null ? list(inspection) : print(inspection))
          ? ExitStatus.OK
          : ExitStatus.FAILED;
    }
  }

  /** Returns whether the page is good. */
  private boolean print(PageInspection inspection) throws IOException {
    if (page < 0 || page >= inspection.pageCount()) {
      throw CommandFailure.failed(
          "the file has no such page: path=%s pages=%d --page=%d"
              .formatted(arguments.file(), inspection.pageCount(), page));
    }
    PageView view = view(inspection, page);
    if (json) {
      view.json(new JsonOutput(streams), true);
    } else {
      view.print(streams);
    }
    return view.defectOrNull() == null;
  }

  /** Returns whether all pages are good. */
  private boolean list(PageInspection inspection) throws IOException {
    JsonOutput output = new JsonOutput(streams);
    if (!json) {
      streams.out(
          "%s: %s pages of %d bytes, torn pages: %s%s\n%s\n"
              .formatted(
                  arguments.file(),
                  Units.count(inspection.pageCount()),
                  inspection.pageSize().bytes(),
                  Objects.requireNonNullElse(inspection.tornPagesOrNull(), "not known"),
                  inspection.isEncrypted() ? ", encrypted" : "",
                  PageView.LIST_HEAD));
    }
    boolean good = true;
    long emptyFrom = -1;
    for (long number = 0; number < inspection.pageCount(); number++) {
      PageView view = view(inspection, number);
      good &= view.defectOrNull() == null;
      if (json) {
        view.json(output, false);
      } else if (view.isNeverWritten()) {
        emptyFrom = emptyFrom < 0 ? number : emptyFrom;
      } else {
        listEmpty(emptyFrom, number);
        emptyFrom = -1;
        streams.out(view.line() + "\n");
      }
    }
    listEmpty(emptyFrom, inspection.pageCount());
    return good;
  }

  /** A line for the pages before this one that were never written, if there are such. */
  private void listEmpty(long from, long end) {
    if (from >= 0) {
      String last = end - from > 1 ? " to " + (end - 1) : "";
      streams.out("%10d%s never written\n".formatted(from, last));
    }
  }

  private static PageView view(PageInspection inspection, long number) {
    MemorySegment bytes;
    try {
      bytes = inspection.page(number);
    } catch (IOException e) {
      return PageView.unreadable(number, inspection.pageSize(), e);
    }
    String defect = inspection.defectOrNull(bytes, number);
    if (defect != null || !inspection.hasKey()) {
      boolean encrypted = inspection.isEncrypted() && !PageFormat.isNeverWritten(bytes);
      return new PageView(number, inspection.pageSize(), bytes, encrypted, defect);
    }
    try {
      bytes = inspection.content(bytes, number);
      return new PageView(number, inspection.pageSize(), bytes, false, null);
    } catch (StorageException e) {
      return new PageView(number, inspection.pageSize(), bytes, true, e.getMessage());
    }
  }
}
