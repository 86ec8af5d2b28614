package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import java.io.EOFException;
import java.io.IOException;
import java.util.Objects;

/**
 * Reads or writes many pages by number, at once: the device has them all at the same time, and
 * neighbours go in one transfer. Reusable; allocates nothing when used again.
 *
 * <p>Pages are neighbours if they follow each other in the arrays and in the file. So ascending
 * page numbers give the fewest transfers. It is best if neighbours follow each other in memory,
 * too: the engine then need not look for the pages of memory each time, if the region is
 * registered.
 *
 * <p>Ownership: none; engine, file and region stay the caller's.
 *
 * <p>Threads: one at a time.
 *
 * <pre>{@code
 * PageBatch batch = new PageBatch(engine, pages, 64);
 * batch.read(numbers, frameOffsets, count, region);
 * }</pre>
 *
 * <p>Errors: the first failure of a transfer, after all others have ended too; further ones are
 * suppressed in it. Which pages were transferred is not known then.
 */
public final class PageBatch {
  /** The longest transfer: longer ones keep other work from the device and gain nothing. */
  private static final int TRANSFER_BYTES_MAX = 256 << 10;

  private final IoEngine engine;
  private final PageFile file;
  private final IoRequest[] requests;
  private int transferPagesMax;
  private boolean atomic;
  private WorkClass work;

  /**
   * Creates an idle batch.
   *
   * @param engine that the file was opened by
   * @param transfersMax transfers in flight at once, at least 1; what is more is done in rounds
   */
  public PageBatch(IoEngine engine, PageFile file, int transfersMax) {
    if (transfersMax < 1) {
      throw new IllegalArgumentException(
          "a batch has at least 1 transfer: transfersMax=" + transfersMax);
    }
    this.engine = Objects.requireNonNull(engine, "engine");
    this.file = file;
    this.work = file.file().workClass();
    this.transferPagesMax = Math.max(1, TRANSFER_BYTES_MAX / file.pageBytes());
    this.requests = new IoRequest[transfersMax];
    for (int i = 0; i < transfersMax; i++) {
      requests[i] = new IoRequest();
    }
  }

  /**
   * Makes every page be written wholly or not at all, each in a transfer of its own: what {@link
   * IoFile#atomicWrites} of the file must allow.
   */
  public PageBatch atomic() {
    atomic = true;
    transferPagesMax = 1;
    return this;
  }

  /** Says what transfers are for from now on; until then what those of the file were for. */
  public PageBatch forWork(WorkClass work) {
    this.work = Objects.requireNonNull(work, "work");
    return this;
  }

  /**
   * Reads pages and waits.
   *
   * @param pages their numbers
   * @param regionOffsets where each goes in the region, in bytes
   * @param count how many of both arrays, from the first on
   */
  public void read(long[] pages, long[] regionOffsets, int count, Region region)
      throws IOException {
    transfer(false, pages, regionOffsets, count, region);
  }

  /** Writes pages and waits; as {@link #read}. No page comes twice. */
  public void write(long[] pages, long[] regionOffsets, int count, Region region)
      throws IOException {
    transfer(true, pages, regionOffsets, count, region);
  }

  private void transfer(boolean write, long[] pages, long[] regionOffsets, int count, Region region)
      throws IOException {
    Objects.checkFromIndexSize(0, count, Math.min(pages.length, regionOffsets.length));
    IOException failure = null;
    int next = 0;
    while (next < count && failure == null) {
      int prepared = 0;
      while (next < count && prepared < requests.length) {
        int run = neighbours(pages, next, count);
        prepare(write, requests[prepared++], pages[next], run, region, regionOffsets, next);
        next += run;
      }
      engine.submitAll(requests, prepared);
      failure = awaitAll(prepared);
    }
    if (failure != null) {
      throw failure;
    }
  }

  private int neighbours(long[] pages, int first, int count) {
    int run = 1;
    while (first + run < count
        && run < transferPagesMax
        && pages[first + run] == pages[first] + run) {
      run++;
    }
    return run;
  }

  private void prepare(
      boolean write,
      IoRequest request,
      long first,
      int count,
      Region region,
      long[] regionOffsets,
      int from) {
    boolean inOnePiece = true;
    for (int i = 1; i < count && inOnePiece; i++) {
      inOnePiece = regionOffsets[from + i] == regionOffsets[from] + (long) i * file.pageBytes();
    }
    if (write) {
      if (inOnePiece) {
        file.prepareWrite(request, first, count, region, regionOffsets[from]);
      } else {
        file.prepareWrite(request, first, count, region, regionOffsets, from);
      }
      if (atomic) {
        request.atomic();
      }
    } else if (inOnePiece) {
      file.prepareRead(request, first, count, region, regionOffsets[from]);
    } else {
      file.prepareRead(request, first, count, region, regionOffsets, from);
    }
    request.forWork(work);
  }

  private IOException awaitAll(int count) {
    IOException failure = null;
    for (int i = 0; i < count; i++) {
      IoRequest request = requests[i];
      try {
        int bytes = request.await();
        if (bytes < request.length()) {
          throw new EOFException(
              "the file ends too early: path=%s offset=%d length=%d available=%d"
                  .formatted(request.file().path(), request.offset(), request.length(), bytes));
        }
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    return failure;
  }
}
