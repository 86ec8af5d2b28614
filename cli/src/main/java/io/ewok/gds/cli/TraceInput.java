package io.ewok.gds.cli;

import io.ewok.gds.buffers.eviction.ReferenceTrace;
import io.ewok.gds.cli.trace.RequestConsumer;
import io.ewok.gds.cli.trace.TraceFormat;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads a trace from a file, which is compressed if its name ends in .gz, or from standard input.
 */
final class TraceInput {
  /** What was read: the trace, how many records it came from, and lines that were left out. */
  record Result(ReferenceTrace trace, long records, long skippedLines) {}

  private static final byte[] GZIP_MAGIC = {0x1F, (byte) 0x8B};

  private final Streams streams;
  private final String file;
  private final TraceFormat format;
  private final long blocksPerKey;

  /**
   * An input that is not opened yet.
   *
   * @param blocksPerKey how many blocks of a request make one key
   */
  TraceInput(Streams streams, String file, TraceFormat format, long blocksPerKey) {
    this.streams = streams;
    this.file = file;
    this.format = format;
    this.blocksPerKey = blocksPerKey;
  }

  /** The name for people. */
  String name() {
    return file.equals("-") ? "standard input" : file;
  }

  Result read() throws IOException {
    if (file.equals("-")) {
      return read(streams.in(), 0);
    }
    Path path = Path.of(file);
    if (Files.isDirectory(path)) {
      throw CommandFailure.failed("the trace is a directory, not a file: path=" + path);
    }
    try (InputStream in = Files.newInputStream(path)) {
      return read(in, Files.size(path));
    }
  }

  private Result read(InputStream in, long sizeBytes) throws IOException {
    Builder builder = new Builder();
    long skipped;
    try (Progress progress = Progress.start(streams, "reading", sizeBytes, Units::bytes)) {
      skipped = format.read(uncompressed(new Watched(in, progress)), name(), builder);
    } catch (ZipException | EOFException e) {
      throw CommandFailure.failed(
          "%s: not a complete gzip file: reason=%s".formatted(name(), e.getMessage()), e);
    }
    return new Result(builder.trace.build(), builder.records, skipped);
  }

  private InputStream uncompressed(InputStream in) throws IOException {
    if (file.endsWith(".gz")) {
      return new GZIPInputStream(in, 1 << 16);
    }
    if (!format.isText()) {
      return in;
    }
    // No text starts so, and what is wrong with such a line would be hard to see.
    InputStream marked = new BufferedInputStream(in);
    marked.mark(GZIP_MAGIC.length);
    if (Arrays.equals(marked.readNBytes(GZIP_MAGIC.length), GZIP_MAGIC)) {
      throw CommandFailure.failed(
          "the trace is compressed, but its name does not end in .gz; for standard input use zcat:"
              + " path="
              + name());
    }
    marked.reset();
    return marked;
  }

  /** Cuts requests into keys. */
  private final class Builder implements RequestConsumer {
    private final ReferenceTrace.Builder trace = new ReferenceTrace.Builder();
    private long records;

    @Override
    public void request(long first, long count) {
      records++;
      if (count == 0) {
        return;
      }
      long firstKey = format.hasBlocks() ? first / blocksPerKey : first;
      long lastKey = format.hasBlocks() ? (first + count - 1) / blocksPerKey : first;
      if (lastKey - firstKey >= trace.room()) {
        throw CommandFailure.failed(
            "%s: more references than a replay can take: record=%d first=%d count=%d max=%d"
                .formatted(name(), records, first, count, trace.room() + trace.length()));
      }
      for (long key = firstKey; key <= lastKey; key++) {
        trace.add(key);
      }
    }
  }

  /** Tells the progress what was read. */
  private static final class Watched extends FilterInputStream {
    private final Progress progress;

    Watched(InputStream in, Progress progress) {
      super(in);
      this.progress = progress;
    }

    @Override
    public int read() throws IOException {
      int read = in.read();
      progress.add(read < 0 ? 0 : 1);
      return read;
    }

    @Override
    public int read(byte[] bytes, int offset, int lengthBytes) throws IOException {
      int read = in.read(bytes, offset, lengthBytes);
      progress.add(Math.max(0, read));
      return read;
    }
  }
}
