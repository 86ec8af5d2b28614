package io.ewok.gds.bench.kv;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.bench.curves.CurveRecorder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * One thread of a workload: what it does, and what that took. Whatever it reads it checks; every
 * sixteenth value byte by byte.
 *
 * <p>Threads: what {@link #run} has left is read after its end.
 */
final class KvWorker {
  private static final long SECONDS_MAX = 3600;
  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final int DIGITS = 3;
  private static final int MANY = 16;
  private static final int RANGES = 64;
  private static final int RANGE_RECORDS = 10;
  private static final int BODY_EVERY = 16;
  private static final int SCAN_CHECK_EVERY = 256;
  private static final int FAMILIES_BATCH = 16;
  private static final int ADDED_MAX = 1000;
  private static final int EMPTY_EVERY = 10;

  /** RocksDB's records expire by a clock of seconds. */
  private static final Duration CLOCK_STEP = Duration.ofSeconds(1);

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final KvData data;
  private final KvStore store;
  private final boolean bodies;
  private final int number;
  private final int threads;
  private final KvMix mix;
  private final SplittableRandom random;

  /** Null where the mix needs none. */
  private final Zipf zipf;

  /** What a case does once it may begin. */
  @FunctionalInterface
  interface Body {
    void run(KvWorker worker) throws IOException;
  }

  final Histogram latencies = new Histogram(SECONDS_MAX * NANOS_PER_SECOND, DIGITS);

  /** When operations ended; how long they took is above. */
  final CurveRecorder curves = new CurveRecorder();

  long operations;
  long heapBytes;
  long writtenRecords;

  // Of the running body.
  private KvBuffers buffers;
  private KvSession session;
  private int reads;
  private int own;
  private int emptyAt;

  /**
   * Prepares.
   *
   * @param mix what {@link #mix} does
   * @param number of this thread, of so many
   */
  KvWorker(KvData data, KvStore store, KvMix mix, int number, int threads, long seed) {
    this.data = data;
    this.store = store;
    this.bodies = !(store instanceof EmptyKvStore);
    this.number = number;
    this.threads = threads;
    this.mix = mix;
    this.random = new SplittableRandom(seed);
    boolean skewed = mix.picker() == KvMix.Picker.ZIPF || mix.picker() == KvMix.Picker.LATEST;
    this.zipf = skewed ? new Zipf(data.entries, random) : null;
  }

  /** Has a session do the body. */
  void run(Body body) throws IOException {
    buffers = new KvBuffers();
    try (KvSession opened = store.session(buffers)) {
      session = opened;
      long before = THREADS.getCurrentThreadAllocatedBytes();
      curves.begin(System.nanoTime());
      body.run(this);
      heapBytes = THREADS.getCurrentThreadAllocatedBytes() - before;
    }
  }

  // ---- bodies

  /** Writes each record once; a latency for each put. */
  void load(boolean shuffled) throws IOException {
    for (int i = 0; i < data.entries; i++) {
      timedPut(shuffled ? data.slotOfShuffled(i) : data.slotOfRecord(i));
    }
  }

  /** As {@link #load}, many in a batch; a latency for each batch. */
  void loadBatches() throws IOException {
    for (int i = 0; i < data.entries; ) {
      int behind = Math.min(data.entries, i + KvSettings.BATCH_PUTS);
      long start = System.nanoTime();
      session.beginBatch();
      for (; i < behind; i++) {
        put(data.slotOfShuffled(i));
        operations++;
      }
      session.endBatch();
      long end = System.nanoTime();
      latencies.recordValue(end - start);
      curves.reached(end, operations);
    }
  }

  /** Writes each record once, in the order of keys, all of them at once; one latency. */
  void ingest() throws IOException {
    long start = System.nanoTime();
    session.beginIngest();
    for (int i = 0; i < data.entries; i++) {
      int slot = data.slotOfRecord(i);
      KvData.putKey(buffers.key, slot);
      int version = data.version(slot) + 1;
      data.putValue(buffers.value, slot, version);
      session.ingest();
      data.setVersion(slot, version);
      writtenRecords++;
      operations++;
      if (i % SCAN_CHECK_EVERY == 0) {
        curves.reached(System.nanoTime(), operations);
      }
    }
    session.endIngest();
    latencies.recordValue(System.nanoTime() - start);
  }

  /** Writes so many times as many records as there are, any of them. */
  void overwrite(int passes) throws IOException {
    for (long i = 0; i < (long) passes * data.entries; i++) {
      timedPut(data.slotOfRecord(random.nextInt(data.entries)));
    }
  }

  /** Overwrites records at a rate until then; a latency from when each was due. */
  void overwritePaced(long perSecond, long deadline) throws IOException {
    long gap = NANOS_PER_SECOND / perSecond;
    for (long due = System.nanoTime(); due < deadline; due += gap) {
      for (long early = due - System.nanoTime(); early > 0; early = due - System.nanoTime()) {
        LockSupport.parkNanos(early);
      }
      put(data.slotOfRecord(random.nextInt(data.entries)));
      long end = System.nanoTime();
      latencies.recordValue(Math.max(0, end - due));
      operations++;
      curves.reached(end, operations);
    }
  }

  /** Writes each record once more, in two families, some in a batch; a latency for each batch. */
  void writeFamilies() throws IOException {
    for (int i = 0; i < data.entries; ) {
      int behind = Math.min(data.entries, i + FAMILIES_BATCH);
      long start = System.nanoTime();
      session.beginBatch();
      for (; i < behind; i++) {
        put(data.slotOfShuffled(i));
        session.putSecond();
        writtenRecords++;
        operations += 2;
      }
      session.endBatch();
      long end = System.nanoTime();
      latencies.recordValue(end - start);
      curves.reached(end, operations);
    }
    data.setSecondLoaded();
  }

  /** Looks at what {@link #writeFamilies} has written. */
  void checkFamilies() throws IOException {
    for (int i = 0; i < data.entries; i++) {
      timedGet(data.slotOfRecord(i));
    }
    for (int i = 0; i < data.entries; i++) {
      int slot = data.slotOfRecord(i);
      KvData.putKey(buffers.key, slot);
      buffers.value.fill((byte) 0);
      int length = session.getSecond();
      check(slot, data.version(slot), buffers.value, length);
    }
  }

  /** Deletes ranges; a latency for each. */
  void deleteRanges() throws IOException {
    KvRanges ranges = new KvRanges(data.entries);
    KvBuffers behind = new KvBuffers();
    for (int i = 0; i < ranges.count(); i++) {
      int firstSlot = data.slotOfRecord(ranges.first(i));
      int endSlot = data.slotOfRecord(ranges.end(i));
      KvData.putKey(buffers.key, firstSlot);
      KvData.putKey(behind.key, endSlot);
      long start = System.nanoTime();
      session.deleteRange(behind);
      done(start, System.nanoTime());
      data.setDeleted(firstSlot, endSlot);
    }
  }

  /** Looks at all records that were loaded, one by one, and then in order. */
  void checkRecords() throws IOException {
    for (int i = 0; i < data.entries; i++) {
      timedGet(data.slotOfRecord(i));
    }
    readAll();
  }

  /** Deletes every other record; a latency for each. */
  void singleDeletes() throws IOException {
    for (int i = 0; i < data.entries; i += 2) {
      int slot = data.slotOfShuffled(i);
      KvData.putKey(buffers.key, slot);
      long start = System.nanoTime();
      session.singleDelete();
      done(start, System.nanoTime());
      data.setGone(slot);
    }
  }

  /** Gives every tenth record an empty value, which a compaction with a filter has to remove. */
  void emptySome() throws IOException {
    for (int i = 0; i < data.entries; i += EMPTY_EVERY) {
      int slot = data.slotOfShuffled(i);
      KvData.putKey(buffers.key, slot);
      session.putEmpty();
      data.setGone(slot);
    }
  }

  /** When all have expired: writes every other record once more. */
  void writeSomeAgain() throws IOException {
    data.setFresh();
    for (int i = 0; i < data.entries; i++) {
      int slot = data.slotOfShuffled(i);
      if (i % 2 == 0) {
        put(slot);
      } else {
        data.setGone(slot);
      }
    }
  }

  /** Looks at what a compaction after {@link #writeSomeAgain} has left. */
  void checkExpired() throws IOException {
    for (int i = 0; i < data.entries; i++) {
      int slot = data.slotOfShuffled(i);
      KvData.putKey(buffers.key, slot);
      int length = session.get();
      // On a machine so slow that all expires meanwhile, nothing is known of those that are gone.
      if (length >= 0 || !data.isOlderThan(KvSettings.TTL.minus(CLOCK_STEP))) {
        check(slot, data.version(slot), buffers.value, length);
      }
    }
  }

  /** Compacts everything; one latency, and an operation for each record there is to look at. */
  void compact() throws IOException {
    long start = System.nanoTime();
    session.compact();
    done(start, System.nanoTime());
    operations += data.entries - 1;
  }

  /** Adds numbers to counters until then. */
  void add(long deadline) throws IOException {
    long end;
    do {
      int counter = data.counters.ofRank(zipf.next());
      long number = 1L + random.nextInt(ADDED_MAX);
      KvData.putKey(buffers.key, counter);
      long start = System.nanoTime();
      session.add(number);
      end = System.nanoTime();
      data.counters.add(counter, number);
      done(start, end);
    } while (end - deadline < 0);
  }

  /** Gets counters until then. */
  void readCounters(long deadline) throws IOException {
    long end;
    do {
      end = timedCounter(data.counters.ofRank(zipf.next()));
    } while (end - deadline < 0);
  }

  /** Looks at all counters: nothing that was added may be lost, or counted twice. */
  void checkCounters() throws IOException {
    for (int i = 0; i < data.counters.count(); i++) {
      timedCounter(i);
    }
  }

  private long timedCounter(int counter) throws IOException {
    KvData.putKey(buffers.key, counter);
    long start = System.nanoTime();
    long found = session.counter();
    long end = System.nanoTime();
    if (found != data.counters.sum(counter)) {
      throw new IllegalStateException(
          "a wrong sum: counter=%d found=%d expected=%d"
              .formatted(counter, found, data.counters.sum(counter)));
    }
    return done(start, end);
  }

  /** Goes from one end to the other, again and again until then. */
  void scan(boolean backward, long deadline) throws IOException {
    while (scanOnce(backward, deadline)) {
      if (System.nanoTime() - deadline > 0) {
        return;
      }
    }
  }

  /** Reads every record once, so that whoever has memory for them has them there. */
  void readAll() throws IOException {
    scanOnce(false, System.nanoTime() + SECONDS_MAX * NANOS_PER_SECOND);
  }

  /** Returns whether it came to the other end by then. */
  private boolean scanOnce(boolean backward, long deadline) throws IOException {
    session.beginScan();
    long last = backward ? Long.MAX_VALUE : -1;
    int count = 0;
    boolean valid = backward ? session.last() : session.first();
    while (valid) {
      last = checkScanned(last, backward);
      count++;
      operations++;
      if (count % SCAN_CHECK_EVERY == 0) {
        long now = System.nanoTime();
        curves.reached(now, operations);
        if (now - deadline > 0) {
          session.endScan();
          return false;
        }
      }
      valid = backward ? session.previous() : session.next();
    }
    session.endScan();
    if (count < data.present()) {
      throw new IllegalStateException("records are missing: count=" + count);
    }
    return true;
  }

  /** Does what a mix says until then. */
  void mix(long deadline) throws IOException {
    int updates = mix.updates();
    int inserts = updates + mix.inserts();
    int scans = inserts + mix.scans();
    int modifications = scans + mix.modifications();
    long end;
    do {
      int slot = pick(mix.picker());
      int dice = modifications == 0 ? 0 : random.nextInt(100);
      if (dice < updates) {
        end = timedPut(slot);
      } else if (dice < inserts) {
        end = timedPut(data.nextInsert());
      } else if (dice < scans) {
        end = timedScan(slot, mix.scanMin() + random.nextInt(mix.scanMax() - mix.scanMin() + 1));
      } else {
        end = timedGet(slot);
        if (dice < modifications) {
          end = timedPut(slot);
        }
      }
    } while (end - deadline < 0);
  }

  /** Reads records and writes them once more, each in a transaction, until then. */
  void transact(long deadline) throws IOException {
    KvBuffers written = new KvBuffers();
    long end;
    do {
      int slot = pick(mix.picker());
      int version = data.version(slot);
      KvData.putKey(buffers.key, slot);
      data.putValue(written.value, slot, version + 1);
      long start = System.nanoTime();
      int length = session.readAndPut(written);
      end = System.nanoTime();
      check(slot, version, buffers.value, length);
      data.setVersion(slot, version + 1);
      writtenRecords++;
      done(start, end);
    } while (end - deadline < 0);
  }

  /** Gets several records at a time until then; a latency for each call. */
  void multiGet(long deadline) throws IOException {
    KvManyBuffers many = new KvManyBuffers(MANY);
    int[] slots = new int[MANY];
    int[] versions = new int[MANY];
    long end;
    do {
      for (int i = 0; i < MANY; i++) {
        slots[i] = pick(mix.picker());
        versions[i] = data.version(slots[i]);
        KvData.putKey(many.all.get(i).key, slots[i]);
      }
      long start = System.nanoTime();
      session.getMany(many);
      end = System.nanoTime();
      for (int i = 0; i < MANY; i++) {
        check(slots[i], versions[i], many.all.get(i).value, many.lengths[i]);
      }
      done(start, end);
      operations += MANY - 1;
    } while (end - deadline < 0);
  }

  /**
   * Goes over many ranges in the order of their keys until then; a latency for all of them, and an
   * operation for each.
   *
   * @param known whether a store that wants to know them before is told
   */
  void ranges(boolean known, long deadline) throws IOException {
    KvBuffers behind = new KvBuffers();
    int[] firsts = new int[RANGES];
    long end;
    do {
      for (int i = 0; i < RANGES; i++) {
        firsts[i] = random.nextInt(data.entries - RANGE_RECORDS) / RANGE_RECORDS * RANGE_RECORDS;
      }
      Arrays.sort(firsts);
      long start = System.nanoTime();
      int seen = known && session.knowsRanges() ? rangesAtOnce(firsts, behind) : seeks(firsts);
      end = System.nanoTime();
      latencies.recordValue(end - start);
      operations += RANGES;
      curves.reached(end, operations);
      if (seen < rangesOf(firsts) * RANGE_RECORDS) {
        throw new IllegalStateException("records are missing: count=" + seen);
      }
    } while (end - deadline < 0);
  }

  /** How many different ones there are. */
  private static long rangesOf(int[] firsts) {
    return Arrays.stream(firsts).distinct().count();
  }

  private int rangesAtOnce(int[] firsts, KvBuffers behind) throws IOException {
    for (int i = 0; i < firsts.length; i++) {
      if (i == 0 || firsts[i] > firsts[i - 1]) {
        KvData.putKey(buffers.key, data.slotOfRecord(firsts[i]));
        KvData.putKey(behind.key, data.slotOfRecord(firsts[i] + RANGE_RECORDS));
        session.addRange(behind);
      }
    }
    int seen = 0;
    long last = -1;
    for (boolean valid = session.firstOfRanges(); valid; valid = session.nextOfRanges()) {
      last = checkScanned(last, false);
      seen++;
    }
    session.endScan();
    return seen;
  }

  private int seeks(int[] firsts) throws IOException {
    session.beginScan();
    int seen = 0;
    long last = -1;
    for (int i = 0; i < firsts.length; i++) {
      if (i == 0 || firsts[i] > firsts[i - 1]) {
        int end = data.slotOfRecord(firsts[i] + RANGE_RECORDS);
        KvData.putKey(buffers.key, data.slotOfRecord(firsts[i]));
        boolean valid = session.seek();
        while (valid && session.keyHead() < end) {
          last = checkScanned(last, false);
          seen++;
          valid = session.next();
        }
      }
    }
    session.endScan();
    return seen;
  }

  private int pick(KvMix.Picker picker) {
    return switch (picker) {
      case UNIFORM -> data.slotOfRecord(random.nextInt(data.entries));
      case ZIPF ->
          data.slotOfRecord((int) ((KvData.mix(zipf.next()) >>> Integer.SIZE) % data.entries));
      case LATEST -> data.slotOfLatest(zipf.next());
      case MISSING -> missing();
      case OWN -> data.slotOfShuffled((int) (((long) own++ * threads + number) % data.entries));
    };
  }

  private int missing() {
    int slot;
    do {
      slot = data.emptySlot(emptyAt++ % data.emptySlots());
    } while (data.version(slot) != 0);
    return slot;
  }

  // ---- operations

  private long timedPut(int slot) throws IOException {
    KvData.putKey(buffers.key, slot);
    int version = data.version(slot) + 1;
    data.putValue(buffers.value, slot, version);
    long start = System.nanoTime();
    session.put();
    long end = System.nanoTime();
    data.setVersion(slot, version);
    writtenRecords++;
    return done(start, end);
  }

  private void put(int slot) throws IOException {
    KvData.putKey(buffers.key, slot);
    int version = data.version(slot) + 1;
    data.putValue(buffers.value, slot, version);
    session.put();
    data.setVersion(slot, version);
    writtenRecords++;
  }

  private long timedGet(int slot) throws IOException {
    KvData.putKey(buffers.key, slot);
    int before = data.version(slot);
    long start = System.nanoTime();
    int length = session.get();
    long end = System.nanoTime();
    check(slot, before, buffers.value, length);
    return done(start, end);
  }

  private long done(long start, long end) {
    latencies.recordValue(end - start);
    operations++;
    curves.reached(end, operations);
    return end;
  }

  /** A value may be one newer than the last that is known to be written: it is being written. */
  private void check(int slot, int before, MemorySegment value, int length) {
    boolean right;
    if (length < 0) {
      right = before <= 0;
    } else {
      right =
          length == KvData.VALUE_BYTES
              && KvData.isHead(value, slot, Math.max(1, before), data.version(slot) + 1)
              && (!bodies || reads++ % BODY_EVERY != 0 || data.isBody(value, slot));
    }
    if (!right) {
      throw new IllegalStateException(
          "a wrong value: slot=%d length=%d version=%d".formatted(slot, length, before));
    }
  }

  private long timedScan(int slot, int count) throws IOException {
    KvData.putKey(buffers.key, slot);
    long start = System.nanoTime();
    session.beginScan();
    long last = slot - 1L;
    boolean valid = session.seek();
    for (int i = 0; i < count && valid; i++) {
      last = checkScanned(last, false);
      valid = session.next();
    }
    session.endScan();
    long end = System.nanoTime();
    if (last < slot) {
      throw new IllegalStateException("nothing was found: slot=" + slot);
    }
    return done(start, end);
  }

  /** Returns the slot of the cursor's record, which is the next one on the way. */
  private long checkScanned(long last, boolean backward) {
    long slot = session.keyHead();
    if (backward ? slot >= last : slot <= last) {
      throw new IllegalStateException("not in order: slot=%d after=%d".formatted(slot, last));
    }
    if (session.valueHead() != slot || data.isDeleted((int) slot)) {
      throw new IllegalStateException("a wrong value: slot=" + slot);
    }
    return slot;
  }
}
