package io.ewok.gds.cli;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.NotAPageFileException;
import io.ewok.gds.buffers.PageInspection;
import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which page file a command looks at. */
final class PageArguments {
  @Mixin private EngineArguments engine;

  @Parameters(index = "0", paramLabel = "FILE", description = "The page file.")
  private Path file;

  @Option(
      names = "--page-size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Size of the pages, whatever the file's first page says: 512 to 64K.")
  private Long pageSizeBytes;

  Path file() {
    return file;
  }

  EngineArguments engine() {
    return engine;
  }

  PageInspection open(IoEngine opened, MemoryBudget budget) throws IOException {
    if (Files.isDirectory(file)) {
      throw CommandFailure.failed("this is a directory, not a page file: path=" + file);
    }
    // The engine follows no link; whoever types the name of one means what it leads to.
    Path target = Files.isSymbolicLink(file) ? file.toRealPath() : file;
    if (pageSizeBytes != null) {
      return PageInspection.open(opened, budget, target, size());
    }
    try {
      return PageInspection.open(opened, budget, target);
    } catch (NotAPageFileException e) {
      throw CommandFailure.failed(
          "this is not a page file; or if it is and its first page is rotten, say --page-size:"
              + " path="
              + file,
          e);
    }
  }

  private PageSize size() {
    try {
      return PageSize.ofBytes((int) Math.min(pageSizeBytes, Integer.MAX_VALUE));
    } catch (IllegalArgumentException e) {
      throw CommandFailure.usage(
          "a page has a power of two of 512 to 65536 bytes: --page-size=" + pageSizeBytes);
    }
  }
}
