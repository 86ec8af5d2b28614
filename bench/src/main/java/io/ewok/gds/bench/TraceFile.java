package io.ewok.gds.bench;

import io.ewok.gds.buffers.eviction.ReferenceTrace;
import io.ewok.gds.cli.trace.TraceFormat;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * A recorded trace in a file, which is compressed if its name ends in .gz.
 *
 * @param pageBytes what a key is, if the trace is of blocks; a multiple of those
 */
record TraceFile(Path path, TraceFormat format, long pageBytes) {
  private static final int STEP_BYTES = 1 << 18;

  /** Returns what is in it, a request for several pages as one for each. */
  ReferenceTrace read() throws IOException {
    ReferenceTrace.Builder trace = new ReferenceTrace.Builder();
    long blocks = format.hasBlocks() ? pageBytes / TraceFormat.BLOCK_BYTES : 1;
    String label = "reading " + path.getFileName();
    try (Progress progress = Progress.of(label, Files.size(path) / STEP_BYTES);
        InputStream raw = new Watched(Files.newInputStream(path), progress, label);
        InputStream in = path.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw) {
      long unused =
          format.read(
              in,
              path.toString(),
              (first, count) -> {
                if (count > 0) {
                  long last = (first + count - 1) / blocks;
                  if (last - first / blocks >= trace.room()) {
                    throw new IOException("more requests than fit into memory: path=" + path);
                  }
                  for (long key = first / blocks; key <= last; key++) {
                    trace.add(key);
                  }
                }
              });
    }
    ReferenceTrace built = trace.build();
    if (built.length() == 0) {
      throw new IOException("the trace has no requests: path=" + path);
    }
    return built;
  }

  /** Tells the progress what was read. */
  private static final class Watched extends FilterInputStream {
    private final Progress progress;
    private final String label;
    private long left = STEP_BYTES;

    Watched(InputStream in, Progress progress, String label) {
      super(in);
      this.progress = progress;
      this.label = label;
    }

    @Override
    public int read() throws IOException {
      return count(1, in.read());
    }

    @Override
    public int read(byte[] bytes, int offset, int lengthBytes) throws IOException {
      int read = in.read(bytes, offset, lengthBytes);
      return count(read, read);
    }

    private int count(int bytes, int result) {
      left -= result < 0 ? 0 : bytes;
      while (left <= 0) {
        progress.begin(label, 1);
        left += STEP_BYTES;
      }
      return result;
    }
  }
}
