package io.ewok.gds.lsm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.ewok.gds.buffers.NotCachedException;
import io.ewok.gds.lsm.record.KeyRanges;
import io.ewok.gds.lsm.record.Keys;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * What can be read: a {@link Family} as it is, such as a {@link Store}, or as it was when a {@link
 * Snapshot} was taken.
 *
 * <p>A value is had in one of several ways:
 *
 * <table>
 * <caption>Ways of a get</caption>
 * <tr><th>method</th><th>the value</th><th>garbage</th></tr>
 * <tr><td>{@link #get(byte[])}</td><td>a new array</td><td>that array</td></tr>
 * <tr><td>{@link #get(MemorySegment, ValueConsumer)}</td><td>where it lies, during the call</td>
 * <td>none, where the compiler sees that the view is not kept</td></tr>
 * <tr><td>{@link #get(MemorySegment, MemorySegment)}</td><td>copied to the caller's memory</td>
 * <td>none</td></tr>
 * <tr><td>{@link #get(MemorySegment, PinnedValue)}</td><td>where it lies, until it is closed</td>
 * <td>none</td></tr>
 * <tr><td>{@link #multiGet(List)}, {@link #multiGet(List, MultiGetConsumer)}</td><td>of several
 * keys, as new arrays or where they lie</td><td>for each call</td></tr>
 * <tr><td>{@link #getAsync}</td><td>a new array, later</td><td>that array and a future</td></tr>
 * </table>
 *
 * <p>A value that is made of operands ({@link Store#merge}) is made anew by each get, and lies in
 * memory of its own; a get makes a few small objects then. One that comes from the {@linkplain
 * StoreOptions#recordCacheBytes record cache} lies in memory of its own, too.
 *
 * <p>Threads: any.
 *
 * <p>Errors: {@link IllegalArgumentException} for a key that is too long; {@link
 * IllegalStateException} after close; {@link IOException} if a table cannot be read or is corrupt:
 * what else is read stays readable; {@link MergeFailedException} if what is to be merged cannot be.
 */
public abstract sealed class ReadView permits Family, Snapshot, FamilySnapshot, ReadOnlyFamily {
  /** What a get returns that found no value. */
  public static final int NOT_FOUND = -1;

  private final VersionSet versions;
  private final ReadContexts contexts;
  private final StoreCounters counters;
  private final FamilyState family;

  ReadView(VersionSet versions, StoreCounters counters, FamilyState family) {
    this.family = family;
    this.versions = versions;
    this.contexts = versions.contexts();
    this.counters = counters;
  }

  /** What is read. */
  final FamilyState family() {
    return family;
  }

  /** The newest sequence that may be seen. Asked for when the version is retained already. */
  abstract long visibleSequence();

  /** Records below have expired. Asked for when the version is retained already. */
  abstract long expiryFloor();

  /** Returns a copy of the value of a key, or null if it has none. */
  public final byte[] get(byte[] key) throws IOException {
    ReadContext context = begin();
    try {
      return find(context, MemorySegment.ofArray(key)) ? copy(context) : null;
    } finally {
      end(context);
    }
  }

  private static byte[] copy(ReadContext context) {
    byte[] value = new byte[context.valueBytes()];
    context.copyValue(MemorySegment.ofArray(value));
    return value;
  }

  /**
   * Hands the value of a key to a consumer, without a copy. The consumer may use the store, but not
   * close it.
   *
   * @return whether the key has a value
   */
  public final boolean get(MemorySegment key, ValueConsumer consumer) throws IOException {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(consumer, "consumer");
    ReadContext context = begin();
    try {
      if (!find(context, key)) {
        return false;
      }
      context.consumerThread = Thread.currentThread();
      consumer.accept(context.value());
      return true;
    } finally {
      context.consumerThread = null;
      end(context);
    }
  }

  /**
   * Copies the value of a key to the beginning of a segment, if it is large enough.
   *
   * @return the length of the value in bytes, or {@link #NOT_FOUND}; if that is more than the
   *     segment has, nothing is copied
   */
  public final int get(MemorySegment key, MemorySegment into) throws IOException {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(into, "into");
    ReadContext context = begin();
    try {
      if (!find(context, key)) {
        return NOT_FOUND;
      }
      if (context.valueBytes() <= into.byteSize()) {
        context.copyValue(into);
      }
      return context.valueBytes();
    } finally {
      end(context);
    }
  }

  /**
   * Pins the value of a key where it lies, without a copy.
   *
   * @param into pins nothing yet
   * @return whether the key has a value; if not, nothing is pinned
   * @throws IllegalStateException also if something is pinned already
   */
  public final boolean get(MemorySegment key, PinnedValue into) throws IOException {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(into, "into");
    ReadContext context = begin();
    boolean pinned = false;
    try {
      if (find(context, key)) {
        into.pin(context, versions);
        pinned = true;
      }
      return pinned;
    } finally {
      if (!pinned) {
        end(context);
      }
    }
  }

  /**
   * Copies the value of a key, as {@link #get(MemorySegment, MemorySegment)} does. Key and room are
   * what lies between the positions and limits of the buffers, which stay as they are.
   */
  public final int get(ByteBuffer key, ByteBuffer into) throws IOException {
    return get(MemorySegment.ofBuffer(key), MemorySegment.ofBuffer(into));
  }

  /**
   * Returns copies of the values of several keys, in their order, null for those that have none.
   * All are of one time. Blocks that are not in the pool are read at the same time.
   */
  public final List<byte[]> multiGet(List<byte[]> keys) throws IOException {
    byte[][] values = new byte[keys.size()][];
    multiGet(
        keys.stream().map(MemorySegment::ofArray).toList(),
        (number, value) -> values[number] = value == null ? null : value.toArray(JAVA_BYTE));
    return Arrays.asList(values);
  }

  /**
   * Hands the values of several keys to a consumer, without copies: see {@link #multiGet(List)}.
   * The consumer may use the store, but not close it.
   */
  public final void multiGet(List<MemorySegment> keys, MultiGetConsumer consumer)
      throws IOException {
    Objects.requireNonNull(consumer, "consumer");
    keys.forEach(key -> Keys.requireLength(key.byteSize()));
    counters.gets.add(keys.size());
    ReadContext context = begin();
    try {
      context.consumerThread = Thread.currentThread();
      new MultiGet(contexts, family, keys, visibleSequence()).run(context, consumer);
    } finally {
      context.consumerThread = null;
      end(context);
    }
  }

  /**
   * Returns a copy of the value of a key, or null if it has none, when it is there: at once if all
   * that is needed is in memory. Else a virtual thread reads it, and completes the future; the
   * caller waits for no device.
   *
   * @return completed with the exception of a {@link #get(byte[])} if that fails
   */
  public final CompletableFuture<byte[]> getAsync(byte[] key) {
    Keys.requireLength(key.length);
    ReadContext context = begin();
    try {
      context.key.set(MemorySegment.ofArray(key));
      byte[] value = context.findCached(visibleSequence()) ? copy(context) : null;
      counters.gets.increment();
      return CompletableFuture.completedFuture(value);
    } catch (NotCachedException e) {
      return readAsync(key.clone());
    } catch (IOException e) {
      return CompletableFuture.failedFuture(e);
    } finally {
      end(context);
    }
  }

  private CompletableFuture<byte[]> readAsync(byte[] key) {
    CompletableFuture<byte[]> future = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("gds-store-read")
        .start(
            () -> {
              try {
                future.complete(get(key));
              } catch (Throwable e) {
                future.completeExceptionally(e); // whatever it is, it is the caller's
              }
            });
    return future;
  }

  /** Looks for a key, and says where, what was read for it and how long that took. */
  public final Explanation explain(byte[] key) throws IOException {
    Keys.requireLength(key.length);
    ReadContext context = begin();
    try {
      context.key.set(MemorySegment.ofArray(key));
      return context.explain(visibleSequence());
    } finally {
      end(context);
    }
  }

  /**
   * Scans forward, and says where, what was read and what was passed by for it, and how long that
   * took. It is a scan like any other: what it reads goes into the pool, and its filter is asked.
   *
   * @param recordsMax how many records it goes through at most
   * @throws IllegalArgumentException if that is below zero
   */
  public final ScanExplanation explainScan(CursorOptions options, long recordsMax)
      throws IOException {
    Objects.requireNonNull(options, "options");
    if (recordsMax < 0) {
      throw new IllegalArgumentException("a number is not negative: recordsMax=" + recordsMax);
    }
    ScanExplainer explainer = new ScanExplainer();
    try (StoreCursor cursor = versions.openCursor(this, options, explainer)) {
      return explainer.run(cursor, recordsMax);
    }
  }

  private ReadContext begin() {
    ReadContext context = contexts.take();
    boolean begun = false;
    try {
      context.begin(family, expiryFloor());
      begun = true;
      return context;
    } finally {
      if (!begun) {
        contexts.give(context);
      }
    }
  }

  private boolean find(ReadContext context, MemorySegment key) throws IOException {
    Keys.requireLength(key.byteSize());
    context.key.set(key);
    counters.gets.increment();
    return context.find(visibleSequence());
  }

  private void end(ReadContext context) {
    context.letGo();
    contexts.give(context);
  }

  /**
   * Returns a cursor on all records. It is not on a record yet.
   *
   * @throws IllegalStateException after close
   */
  public final StoreCursor cursor() {
    return cursor(CursorOptions.defaults());
  }

  /**
   * Returns a cursor on some records. It is not on a record yet.
   *
   * @throws IllegalStateException after close
   */
  public final StoreCursor cursor(CursorOptions options) {
    return versions.openCursor(this, Objects.requireNonNull(options, "options"), null);
  }

  /**
   * Returns a cursor on the records in some ranges, which reads ahead. It is not on a record yet.
   *
   * @throws IllegalStateException after close
   */
  public final RangesCursor cursor(ScanRanges ranges) {
    return cursor(ranges, CursorOptions.defaults());
  }

  /**
   * As {@link #cursor(ScanRanges)}.
   *
   * @throws IllegalArgumentException if the options have bounds of their own
   * @throws IllegalStateException after close
   */
  public final RangesCursor cursor(ScanRanges ranges, CursorOptions options) {
    KeyRanges copied = ranges.copy();
    CursorOptions bounds = RangesCursor.bounds(copied, options);
    return new RangesCursor(versions.openCursor(this, bounds, copied, null, null), copied);
  }
}
