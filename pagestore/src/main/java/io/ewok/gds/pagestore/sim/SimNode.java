package io.ewok.gds.pagestore.sim;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The content of one simulated file: what reads see now, and per sector what else a power cut could
 * leave. Guarded by the engine's lock.
 */
final class SimNode {
  /** What a sector held, and the number of the change that wrote it. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Version(long change, byte[] content) {}

  /** A size, and the number of the change that made it. */
  private record Size(long change, long bytes) {}

  /** What a device writes whole or not at all, as long as {@link SimTears} lets it. */
  static final int SECTOR_BYTES = 512;

  private static final int CHUNK_BYTES = 64 << 10;

  /** What reads see. A missing chunk is zeros. */
  private final Map<Integer, byte[]> chunks;

  /** Chunks that no other node shares, so that they can be changed in place. */
  private final BitSet owned = new BitSet();

  /**
   * Per sector that was written since the last sync: the durable content, then each later one; the
   * last is what reads see.
   */
  private final TreeMap<Long, List<Version>> unsynced = new TreeMap<>();

  /** By their first sector, how many sectors each of the ranges has that are written atomically. */
  private final TreeMap<Long, Integer> atomic = new TreeMap<>();

  /**
   * Durable content of sectors that reads see otherwise, but no sync will write: a failed sync
   * marked them clean.
   */
  private final TreeMap<Long, byte[]> lost = new TreeMap<>();

  /** Sectors that cannot be read until they are written. */
  private final TreeSet<Long> bad = new TreeSet<>();

  /** The durable size, then each later one; the last is what reads see. */
  private final List<Size> sizes = new ArrayList<>();

  private long changes;

  SimNode() {
    this.chunks = new HashMap<>();
    sizes.add(new Size(0, 0));
  }

  /** A node that shares the chunks of another until one of them changes. */
  private SimNode(SimNode other, long sizeBytes) {
    this.chunks = new HashMap<>(other.chunks);
    other.owned.clear();
    sizes.add(new Size(0, sizeBytes));
  }

  long sizeBytes() {
    return sizes.getLast().bytes;
  }

  /** Reads what is there. Returns the bytes up to the end of the file. */
  int read(long offset, MemorySegment target, long targetOffset, int length) {
    int count = (int) Math.max(0, Math.min(length, sizeBytes() - offset));
    for (int done = 0; done < count; ) {
      int within = (int) ((offset + done) % CHUNK_BYTES);
      int part = Math.min(count - done, CHUNK_BYTES - within);
      byte[] chunk = chunks.get((int) ((offset + done) / CHUNK_BYTES));
      MemorySegment slice = target.asSlice(targetOffset + done, part);
      if (chunk == null) {
        slice.fill((byte) 0);
      } else {
        MemorySegment.copy(chunk, within, slice, ValueLayout.JAVA_BYTE, 0, part);
      }
      done += part;
    }
    return count;
  }

  /** Writes whole sectors. */
  void write(long offset, MemorySegment source, long sourceOffset, int length) {
    for (int done = 0; done < length; done += SECTOR_BYTES) {
      byte[] sector = new byte[SECTOR_BYTES];
      MemorySegment.copy(
          source, ValueLayout.JAVA_BYTE, sourceOffset + done, sector, 0, SECTOR_BYTES);
      change((offset + done) / SECTOR_BYTES, sector);
    }
    if (length > 0 && offset + length > sizeBytes()) {
      sizes.add(new Size(++changes, offset + length));
    }
  }

  /**
   * The next write of a range is done wholly or not at all, as are all others of the same range.
   */
  void writeAtomically(long offset, int length) {
    atomic.put(offset / SECTOR_BYTES, length / SECTOR_BYTES);
  }

  boolean isWrittenAtomically(long offset, int length) {
    return atomic.getOrDefault(offset / SECTOR_BYTES, 0) * SECTOR_BYTES == length;
  }

  /** Makes whole sectors read as zeros, as far as the file reaches. */
  void clear(long offset, long length) {
    long end = Math.min(offset + length, sizeBytes());
    for (long at = offset; at < end; at += SECTOR_BYTES) {
      change(at / SECTOR_BYTES, new byte[SECTOR_BYTES]);
    }
  }

  /** Returns whether a range has a sector that cannot be read. */
  boolean isBad(long offset, int length) {
    return !bad.subSet(offset / SECTOR_BYTES, (offset + length) / SECTOR_BYTES).isEmpty();
  }

  /** Makes the sector of a byte unreadable until it is written. */
  void markBad(long offset) {
    bad.add(offset / SECTOR_BYTES);
  }

  /** Sets the size. What is cut off reads as zeros if the file grows again. */
  void resize(long sizeBytes) {
    long before = sizeBytes();
    if (sizeBytes == before) {
      return;
    }
    sizes.add(new Size(++changes, sizeBytes));
    long tail = sizeBytes % SECTOR_BYTES;
    for (long at = sizeBytes - tail; at < before; at += SECTOR_BYTES) {
      byte[] sector = at < sizeBytes ? sector(at / SECTOR_BYTES) : new byte[SECTOR_BYTES];
      Arrays.fill(sector, at < sizeBytes ? (int) tail : 0, SECTOR_BYTES, (byte) 0);
      change(at / SECTOR_BYTES, sector);
    }
  }

  /** Returns a number for the changes up to now. */
  long mark() {
    return changes;
  }

  /** Makes durable what was changed before a mark. */
  void sync(long mark) {
    unsynced
        .values()
        .removeIf(
            versions -> {
              while (versions.size() > 1 && versions.get(1).change <= mark) {
                versions.removeFirst();
              }
              return versions.size() == 1;
            });
    while (sizes.size() > 1 && sizes.get(1).change <= mark) {
      sizes.removeFirst();
    }
  }

  /** Makes a range durable, and the size. */
  void syncRange(long offset, int length) {
    unsynced.subMap(offset / SECTOR_BYTES, (offset + length) / SECTOR_BYTES).clear();
    keepSize(sizes.getLast());
  }

  /** Fails as {@link SimSyncFailure#ROLLED_BACK} says. */
  void rollBack() {
    unsynced.forEach((sector, versions) -> store(sector, versions.getFirst().content));
    unsynced.clear();
    keepSize(sizes.getFirst());
  }

  /** Forgets what reads see and the device does not have, of sectors that are marked clean. */
  void evict() {
    lost.forEach(this::store);
    lost.clear();
  }

  /**
   * Fails as {@link SimSyncFailure#MARKED_CLEAN} says: each sector may have been written or not,
   * all are marked clean, and reads go on to see them.
   */
  void markClean(SplittableRandom random) {
    unsynced.forEach(
        (sector, versions) -> {
          if (random.nextBoolean()) {
            lost.put(sector, versions.getFirst().content);
          }
        });
    unsynced.clear();
  }

  /** Returns one state that a power cut now could leave. This node stays as it is. */
  SimNode crashed(SplittableRandom random, SimTears tears) {
    SimNode after = new SimNode(this, sizes.get(random.nextInt(sizes.size())).bytes);
    after.bad.addAll(bad);
    lost.forEach(after::store);
    Map<Long, Integer> keptWhole = new HashMap<>();
    unsynced.forEach(
        (sector, versions) -> {
          Map.Entry<Long, Integer> range = atomic.floorEntry(sector);
          if (range != null && sector < range.getKey() + range.getValue()) {
            int kept =
                keptWhole.computeIfAbsent(range.getKey(), _ -> random.nextInt(versions.size()));
            after.store(sector, versions.get(Math.min(kept, versions.size() - 1)).content);
            return;
          }
          int kept = random.nextInt(versions.size());
          // Of the writes of a sector the device has had in hand the kept one or the next.
          int other = kept + 1 < versions.size() ? kept + 1 : kept - 1;
          after.store(sector, tears.apply(versions.get(kept).content, versions.get(other).content));
        });
    // Beyond its end a file has no content, which shows when it grows.
    long end = after.sizeBytes();
    for (Integer index : List.copyOf(after.chunks.keySet())) {
      long from = Math.max(0, end - (long) index * CHUNK_BYTES);
      if (from < CHUNK_BYTES) {
        Arrays.fill(after.chunkForWriting(index), (int) from, CHUNK_BYTES, (byte) 0);
      }
    }
    return after;
  }

  /** Flips the lowest bit of a byte, in everything that the device may hold of it. */
  void flipBit(long offset) {
    long number = offset / SECTOR_BYTES;
    int within = (int) (offset % SECTOR_BYTES);
    for (Version version : unsynced.getOrDefault(number, List.of())) {
      version.content[within] ^= 1;
    }
    byte[] durable = lost.get(number);
    if (durable != null) {
      durable[within] ^= 1;
    }
    byte[] now = sector(number);
    now[within] ^= 1;
    store(number, now);
  }

  private void keepSize(Size size) {
    sizes.clear();
    sizes.add(size);
  }

  private void change(long number, byte[] content) {
    bad.remove(number);
    List<Version> versions = unsynced.get(number);
    if (versions == null) {
      versions = new ArrayList<>(2);
      byte[] durable = lost.remove(number);
      versions.add(new Version(0, durable != null ? durable : sector(number)));
      unsynced.put(number, versions);
    }
    versions.add(new Version(++changes, content));
    store(number, content);
  }

  /** Returns a copy of what reads see. */
  private byte[] sector(long number) {
    long offset = number * SECTOR_BYTES;
    byte[] chunk = chunks.get((int) (offset / CHUNK_BYTES));
    int within = (int) (offset % CHUNK_BYTES);
    return chunk == null
        ? new byte[SECTOR_BYTES]
        : Arrays.copyOfRange(chunk, within, within + SECTOR_BYTES);
  }

  private void store(long number, byte[] content) {
    long offset = number * SECTOR_BYTES;
    byte[] chunk = chunkForWriting((int) (offset / CHUNK_BYTES));
    System.arraycopy(content, 0, chunk, (int) (offset % CHUNK_BYTES), SECTOR_BYTES);
  }

  private byte[] chunkForWriting(int index) {
    byte[] chunk = chunks.get(index);
    if (chunk == null || !owned.get(index)) {
      chunk = chunk == null ? new byte[CHUNK_BYTES] : chunk.clone();
      chunks.put(index, chunk);
      owned.set(index);
    }
    return chunk;
  }
}
