package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.LogOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * Writers who come into a {@link WriteRoom} and a background thread that flushes what they fill:
 * for {@link Interleaver}. What is in a memtable when it is flushed is what is in the log from the
 * end of the one before to its own.
 */
public final class WriteRoomScenes implements Interleaver.Scenes {
  private static final int MEMTABLE_BYTES = 16 << 10;
  private static final long CAPACITY_BYTES =
      MEMTABLE_BYTES - Memtable.overheadBytes(MEMTABLE_BYTES);

  private static final int SEGMENT_BYTES = 4096;
  private static final long LOG_BYTES = 2 * SEGMENT_BYTES;
  private static final long FIRST_LSN = 64;
  private static final WriteOptions WAITING = WriteOptions.of(Durability.NONE);

  private static final SimEngine UNUSED = new SimEngine(1);

  /** The one that is being played. */
  private static Writes now;

  @Override
  public void close() {
    now = null;
  }

  @Override
  public Interleaver.Scene scene(String name) {
    Writes scene =
        switch (name) {
          case "a memtable for each" -> new Writes(3, CAPACITY_BYTES, 8).writes(1).writes(1);
          case "a memtable for two" -> new Writes(3, CAPACITY_BYTES / 2, 8).writes(2).writes(1);
          case "a log for two" -> new Writes(3, 100, SEGMENT_BYTES).writes(2).writes(1);
          case "a reader has the memory" -> new Writes(2, CAPACITY_BYTES, 8).reads().writes(3);
          case "two wait for a reader" ->
              new Writes(2, CAPACITY_BYTES, 8).reads().writes(2).writes(1);
          case "a flush beside" -> new Writes(3, CAPACITY_BYTES / 2, 8).writes(3).flushes();
          default -> throw new IllegalArgumentException("no such scene: name=" + name);
        };
    now = scene;
    return scene;
  }

  // ---- what is asked of others

  static void lock(Object lock) {
    Interleaver.lock();
  }

  static void unlock(Object lock) {
    Interleaver.unlock();
  }

  /** Of the background thread. */
  static boolean await(Object background, BooleanSupplier condition, Duration limit) {
    Interleaver.await(condition);
    return true;
  }

  static void signal(Object background) {
    Interleaver.signal();
  }

  /** Of a baton that nobody posts. */
  static boolean await(Object baton, long nanos) {
    Interleaver.pause();
    return false;
  }

  /** Of the delay: there is none. */
  static boolean await(Object delay, long bytes, double filled, long limitNanos) {
    return true;
  }

  static void frozen(Object delay, long bytes) {}

  static LogOptions options(Object log) {
    return new LogOptions(SEGMENT_BYTES, (int) (LOG_BYTES / SEGMENT_BYTES), SEGMENT_BYTES);
  }

  /** Of the readers of changes: there are none. */
  static long flushedLsn(Object holds) {
    return now.horizonLsn;
  }

  static boolean isHeldBack(Object holds) {
    return false;
  }

  static boolean isHeldBackBy(Object holds, Thread thread) {
    return false;
  }

  static void wantRoom(Object holds) {}

  static long spaceLeftBytes(Object log) {
    return LOG_BYTES - (now.endLsn - now.horizonLsn);
  }

  static boolean hasRoomFor(Object log, long recordBytes) {
    Interleaver.getField();
    return recordBytes <= spaceLeftBytes(log);
  }

  // ---- actors

  /** What an actor does. */
  private interface Act {
    void run() throws IOException;
  }

  private static final class Writes implements Interleaver.Scene {
    private final int places;
    private final long sizeBytes;
    private final long recordBytes;
    private final StoreParts parts;
    private final WriteRoom room;
    private final List<Runnable> actors = new ArrayList<>();

    /** Where in the log the records of each memtable end. */
    private final Map<Memtable, List<Long>> written = new HashMap<>();

    private Version readersOrNull;
    private long endLsn = FIRST_LSN;
    private long flushedLsn = FIRST_LSN;
    private long horizonLsn = FIRST_LSN;
    private int writes;
    private int busy;

    /**
     * Nobody yet but the background thread.
     *
     * @param places for memtables
     * @param sizeBytes what a write takes of one
     * @param recordBytes what it takes of the log
     */
    Writes(int places, long sizeBytes, long recordBytes) {
      this.places = places;
      this.sizeBytes = sizeBytes;
      this.recordBytes = recordBytes;
      now = this;
      parts = new StoreParts(UNUSED, new StoreFiles(Fixtures.DIRECTORY), Fixtures.TINY);
      parts.space =
          new MemtableSpace(
              parts.memory.memtables(),
              RegionOptions.ofSize(MEMTABLE_BYTES),
              places,
              Interleaver::signal);
      Memtable first = parts.space.tryCreate();
      Merging merging = new Merging(MergeOperator.NONE, 0, Fixtures.DIRECTORY);
      parts.families =
          new Families(
              new FamilyState(Manifest.MAIN, Family.DEFAULT_NAME, merging)
                  .withExpiration(new Expiration(() -> Duration.ZERO, () -> 0, WriteTimes.NONE)));
      SortedMap<Integer, Levels> families = new TreeMap<>(Map.of(Manifest.MAIN, Levels.EMPTY));
      parts.versions =
          new VersionSet(new Version(first, null, families), FIRST_LSN, parts.families, null);
      first.release();
      room = new WriteRoom(parts, () -> {});
      actors.add(act(this::flushInBackground));
    }

    private static Runnable act(Act act) {
      return () -> {
        try {
          act.run();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      };
    }

    private Writes acts(Act act) {
      busy++;
      actors.add(
          act(
              () -> {
                act.run();
                Interleaver.putField();
                busy--;
                Interleaver.signal();
              }));
      return this;
    }

    Writes writes(int count) {
      writes += count;
      return acts(
          () -> {
            for (int i = 0; i < count; i++) {
              write();
            }
          });
    }

    /** Somebody has a version, and with it its memtable, until he lets go. */
    Writes reads() {
      readersOrNull = parts.versions.retain();
      return acts(
          () -> {
            Interleaver.putField();
            parts.versions.release(readersOrNull);
          });
    }

    Writes flushes() {
      return acts(
          () -> {
            Interleaver.getField();
            long seen = parts.versions.sequence();
            room.flush();
            assertTrue(flushedLsn >= seen, "flushed: " + flushedLsn + " seen: " + seen);
          });
    }

    /** As {@link StoreWriter} does it. */
    private void write() throws IOException {
      while (true) {
        Memtable memtable = room.enter(sizeBytes, Manifest.MAIN, null, WAITING);
        Interleaver.putField();
        long start = endLsn;
        if (recordBytes > spaceLeftBytes(null)) {
          memtable.leaveUnused(sizeBytes);
          room.makeInLog(memtable, recordBytes, WAITING);
          continue;
        }
        endLsn += recordBytes;
        Interleaver.putField();
        assertEquals(0, memtable.endLsn(), "it is not frozen");
        MemorySegment key = MemorySegment.ofArray(new byte[] {1});
        long stamp = RecordKind.stamp(start + 1, RecordKind.PUT);
        memtable.add(Manifest.MAIN, memtable.copy(stamp, key, MemorySegment.NULL));
        written.computeIfAbsent(memtable, _ -> new ArrayList<>()).add(start + recordBytes);
        Interleaver.putField();
        while (!parts.versions.order().tryPublish(start, start + recordBytes)) {
          Interleaver.pause();
        }
        assertTrue(isFound(memtable), "readers find it");
        Interleaver.putField();
        memtable.exit();
        return;
      }
    }

    private boolean isFound(Memtable memtable) {
      Interleaver.getField();
      return memtable == parts.versions.active() || memtable == parts.versions.frozen();
    }

    private boolean hasWork() {
      Interleaver.getField();
      return parts.versions.hasFrozen() || busy == 0;
    }

    /** As {@link Background} does it. */
    private void flushInBackground() {
      while (true) {
        Interleaver.await(this::hasWork);
        Memtable frozen = parts.versions.frozen();
        if (frozen == null) {
          return;
        }
        long end = frozen.endLsn();
        assertEquals(logged(flushedLsn, end), taken(frozen));
        flushedLsn = end;
        Interleaver.putField();
        parts.versions.flushed(Map.of(Manifest.MAIN, List.of()));
        Interleaver.putField();
        horizonLsn = end;
        Interleaver.signal();
      }
    }

    private List<Long> taken(Memtable memtable) {
      return written.getOrDefault(memtable, List.of()).stream().sorted().toList();
    }

    /** Where the records between two positions of the log end. */
    private List<Long> logged(long from, long to) {
      List<Long> ends = new ArrayList<>();
      for (long end = from + recordBytes; end <= to; end += recordBytes) {
        ends.add(end);
      }
      return ends;
    }

    @Override
    public List<Runnable> actors() {
      return actors;
    }

    @Override
    public void check() {
      assertEquals(FIRST_LSN + writes * recordBytes, parts.versions.sequence(), "all is visible");
      assertEquals(logged(flushedLsn, endLsn), taken(parts.versions.active()));
      parts.versions.close();
      assertEquals(places, parts.space.free(), "memory");
    }
  }
}
