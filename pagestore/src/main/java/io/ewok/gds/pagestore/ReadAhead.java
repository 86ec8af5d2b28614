package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.CancellationException;

/**
 * Reads pages for one reader, and those that it will ask for next before it does. Where the pages
 * asked for are a stream, neighbours or with a stride, forwards or backwards, it reads ahead: twice
 * as far each time the reader had to wait, half as far each time it turned away from what was read
 * for it, and then no farther than the stream went that it turned away from.
 *
 * <p>Ownership: the caller lends a piece of a region for the frames until {@link #close}, which
 * waits for what is in flight and leaves file, engine and region open.
 *
 * <p>Threads: one at a time.
 *
 * <pre>{@code
 * try (ReadAhead reader = new ReadAhead(engine, pages, region, 0, ReadAheadOptions.defaults())) {
 *   for (long page = 0; page < pages.capacityPages(); page++) {
 *     consume(reader.page(page));
 *   }
 * }
 * }</pre>
 *
 * <p>Errors: those of {@link PageFile#read}, for the page that was asked for alone; that a page
 * could not be read ahead shows when it is asked for.
 */
public final class ReadAhead implements AutoCloseable {
  /** Pages that are neighbours in file and memory, read by one request. */
  private static final class Window {
    private final IoRequest request = new IoRequest();
    private long firstPage;
    private int count;
    private int firstFrame;

    /** Whether the reader has asked for one of its pages. */
    private boolean used;

    /** Pages that the reader has not asked for. */
    private int unread;

    /** Whether the reader has turned away. */
    private boolean dropped;

    /** Whether the kernel may have it: submitted, its end not seen. */
    private boolean running;

    boolean has(long page) {
      return !dropped && page >= firstPage && page < firstPage + count;
    }
  }

  private final IoEngine engine;
  private final PageFile file;
  private final int pageBytes;
  private final Region region;
  private final long regionOffset;
  private final int frames;
  private final int windowPagesMax;
  private final StreamDetector detector = new StreamDetector();

  /** The windows in use, oldest first: a ring, as their frames are. */
  private final Window[] windows;

  private int oldest;
  private int inUse;
  private int freeFrames;
  private int nextFrame;

  /** How many pages ahead of the reader to read. */
  private int distance = 2;

  /** The last page of the stream that was asked of the engine. */
  private long aheadPage;

  /** The page that was asked for last, and how many since the stream began. */
  private long lastPage = -1;

  private long streamPages;

  private long waits;
  private long unusedPages;

  /**
   * Begins with nothing read.
   *
   * @param engine that the file was opened by
   * @param region memory of {@code options.frames()} pages from {@code regionOffset} on, which is
   *     aligned as for {@link PageFile#read}
   */
  public ReadAhead(
      IoEngine engine, PageFile file, Region region, long regionOffset, ReadAheadOptions options) {
    this.engine = Objects.requireNonNull(engine, "engine");
    this.file = file;
    this.pageBytes = file.pageBytes();
    this.region = region;
    this.regionOffset = regionOffset;
    this.frames = options.frames();
    this.windowPagesMax = Math.clamp(options.transferBytesMax() / pageBytes, 1, frames / 2);
    long sizeBytes = (long) frames * pageBytes;
    Objects.checkFromIndexSize(regionOffset, sizeBytes, region.sizeBytes());
    file.file().checkTransfer(0, region, regionOffset, pageBytes);
    windows = new Window[frames];
    for (int i = 0; i < frames; i++) {
      windows[i] = new Window();
    }
    freeFrames = frames;
  }

  /**
   * Returns a page, valid until the next call of this object, and waits for it if need be.
   *
   * @throws IllegalArgumentException for a page outside of the file's capacity
   */
  public MemorySegment page(long page) throws IOException {
    file.offset(page, 1);
    detector.accept(page);
    Window window = find(page);
    if (page != lastPage) {
      lastPage = page;
      streamPages++;
      if (window != null && window.unread > 0) {
        window.unread--;
      }
    }
    if (window == null) {
      window = readNow(page);
    } else if (!arrive(window)) {
      // Read ahead in vain; what is wrong with this page is told by reading it alone.
      turnAway();
      window = readNow(page);
    }
    readOn(page);
    long frame = window.firstFrame + (page - window.firstPage);
    return region.segment().asSlice(regionOffset + frame * pageBytes, pageBytes).asReadOnly();
  }

  /** Finds the window of a page; those before it are done with. Null after turning away. */
  private Window find(long page) {
    for (int i = 0; i < inUse; i++) {
      Window window = windows[(oldest + i) % frames];
      if (window.has(page)) {
        for (int j = 0; j < i; j++) {
          drop(windows[(oldest + j) % frames]);
        }
        return window;
      }
    }
    turnAway();
    return null;
  }

  private void turnAway() {
    boolean unused = false;
    for (int i = 0; i < inUse; i++) {
      Window window = windows[(oldest + i) % frames];
      unused |= !window.dropped && window.unread > 0;
      drop(window);
    }
    if (unused) {
      distance = (int) Math.max(1, Math.min(distance / 2, streamPages));
    }
    streamPages = 0;
  }

  private void drop(Window window) {
    if (window.dropped) {
      return;
    }
    window.dropped = true;
    unusedPages += window.unread;
    if (!window.used && window.running && !window.request.isDone()) {
      engine.cancel(window.request);
    }
  }

  /** Waits for a window that the reader wants. Returns false if it was not read in full. */
  private boolean arrive(Window window) {
    window.used = true;
    if (!window.running) {
      return true;
    }
    if (!window.request.isDone()) {
      waits++;
      distance = Math.min(frames, distance * 2);
    }
    return end(window);
  }

  private boolean end(Window window) {
    window.running = false;
    try {
      return window.request.await() == window.count * pageBytes;
    } catch (IOException | CancellationException e) {
      // If the page is asked for it is read again, and shows then what is wrong.
      return false;
    }
  }

  private Window readNow(long page) throws IOException {
    waits++;
    while (freeFrames == 0 || inUse == frames) {
      releaseOldest();
    }
    Window window = take(page, 1);
    window.used = true;
    window.unread = 0;
    boolean read = false;
    try {
      file.read(page, region, regionOffset + (long) window.firstFrame * pageBytes);
      read = true;
    } finally {
      if (!read) {
        window.dropped = true;
      }
    }
    aheadPage = page;
    return window;
  }

  /** Gives the oldest frames back. They are dropped; the kernel may still have to let them go. */
  private void releaseOldest() {
    Window window = windows[oldest];
    if (window.running) {
      end(window);
    }
    freeFrames += window.count;
    oldest = (oldest + 1) % frames;
    inUse--;
  }

  /** Takes the next frames, which lie in one piece. */
  private Window take(long firstPage, int count) {
    Window window = windows[(oldest + inUse) % frames];
    inUse++;
    window.firstPage = firstPage;
    window.count = count;
    window.firstFrame = nextFrame;
    window.used = false;
    window.unread = count;
    window.dropped = false;
    freeFrames -= count;
    nextFrame = (nextFrame + count) % frames;
    return window;
  }

  /** Reads ahead of a page that the reader has got, if that is part of a stream. */
  private void readOn(long page) {
    int stride = detector.stride();
    if (stride == 0) {
      return;
    }
    while (inUse > 0 && isReleasable(windows[oldest])) {
      releaseOldest();
    }
    long ahead = (aheadPage - page) / stride;
    if (ahead < 0 || (aheadPage - page) % stride != 0) {
      aheadPage = page;
      ahead = 0;
    }
    if (ahead > distance / 2) {
      return;
    }
    int neighbours = Math.abs(stride) == 1 ? windowPagesMax : 1;
    while (ahead < distance && freeFrames > 0 && inUse < frames) {
      long left = stride > 0 ? file.capacityPages() - 1 - aheadPage : aheadPage;
      int count = (int) Math.min(left / Math.abs(stride), distance - ahead);
      count = Math.min(Math.min(count, neighbours), Math.min(freeFrames, frames - nextFrame));
      if (count == 0) {
        return;
      }
      long first = aheadPage + stride;
      long last = aheadPage + (long) stride * count;
      submit(take(Math.min(first, last), count));
      aheadPage = last;
      ahead += count;
    }
  }

  /** Whether a window is dropped and the kernel has let it go. */
  private static boolean isReleasable(Window window) {
    return window.dropped && (!window.running || window.request.isDone());
  }

  private void submit(Window window) {
    file.prepareRead(
        window.request,
        window.firstPage,
        window.count,
        region,
        regionOffset + (long) window.firstFrame * pageBytes);
    boolean submitted = false;
    try {
      engine.submit(window.request);
      submitted = true;
    } finally {
      window.running = submitted;
      window.dropped = !submitted;
    }
  }

  /** Returns how many pages ahead of the reader it reads where there is a stream. */
  public int distancePages() {
    return distance;
  }

  /** Returns how often the reader had to wait for the device. */
  public long waits() {
    return waits;
  }

  /** Returns the pages that were read ahead, or begun to be, and never asked for. */
  public long unusedPages() {
    return unusedPages;
  }

  /** Ends what is in flight. Twice does nothing. */
  @Override
  public void close() {
    turnAway();
    while (inUse > 0) {
      releaseOldest();
    }
  }
}
