package io.ewok.gds.lsm.memtable;

import io.ewok.gds.allocator.BumpArena;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.References;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.Table;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The newest records of a store, ordered: a skip list outside of the heap. Every version of a key
 * is a node of its own (see {@link NodeFormat}); nothing is removed or changed, so readers need no
 * lock. A memtable has a fixed capacity and dies as a whole.
 *
 * <p>Ownership: counted by {@link #references}. The last user to leave frees the memory, through
 * {@link MemtableSpace}. Every method that takes or returns a node address is called between a
 * retain and its release: addresses are not checked, this is what keeps them right.
 *
 * <p>Threads: one writer at a time, under the store's write lock; any number of readers beside it.
 */
public final class Memtable {
  public static final long NONE = 0;

  /** Chance 1/4 to reach the next level. */
  private static final int LEVEL_MASK = 3;

  public final References references = new References();
  private final MemtableSpace space;
  private final BumpArena arena;
  private final long capacityBytes;
  private final long head;

  // Guarded by the store's write lock.
  private final long[] splice = new long[NodeFormat.HEIGHT_MAX];
  private long chargedBytes;
  private long spareBytes;
  private long random = 0x9E3779B97F4A7C15L;
  private long firstSequence;
  private long lastSequence;
  private long endLsn;

  /** Written under the write lock; read by anyone as a hint where to start. */
  private volatile int height = 1;

  private volatile long count;

  /**
   * The tables with the same records, once they are written and named by the manifest; each
   * retained for this memtable. Cursors move over to them when the memory is needed.
   */
  private volatile List<Table> flushed;

  public Memtable(MemtableSpace space, BumpArena arena, long capacityBytes) {
    this.space = space;
    this.arena = arena;
    this.capacityBytes = capacityBytes;
    this.head = arena.allocateZeroed(NodeFormat.HEAD_BYTES, Long.BYTES);
    NodeFormat.putHeader(head, 0, NodeFormat.HEIGHT_MAX, 0, 0);
    chargedBytes = NodeFormat.HEAD_BYTES;
  }

  /** Returns the memory that a memtable for batches of this size needs besides them, in bytes. */
  public static long overheadBytes() {
    return NodeFormat.HEAD_BYTES;
  }

  // ---- writing, under the write lock

  /** Whether operations that count {@code bytes} in {@link BatchFormat#sizeBytes} still fit. */
  public boolean hasRoom(long bytes) {
    return bytes <= capacityBytes - chargedBytes;
  }

  /**
   * Indexes the operations of a batch; there must be room for them. They become visible to a reader
   * when it learns of a sequence number that covers them.
   *
   * @param record a sound record, see {@link BatchFormat#defect}
   * @param lsn the end of the record in the log
   */
  public void insert(MemorySegment record, long lsn) {
    long sequence = BatchFormat.sequence(record);
    int operations = BatchFormat.count(record);
    long countBefore = count;
    if (countBefore == 0) {
      firstSequence = sequence;
    }
    long offset = BatchFormat.HEADER_BYTES;
    for (int i = 0; i < operations; i++) {
      int keyBytes = BatchFormat.keyBytes(record, offset);
      int valueBytes = BatchFormat.valueBytes(record, offset);
      long stamp = RecordKind.stamp(sequence + i, BatchFormat.kind(record, offset));
      offset += BatchFormat.OPERATION_HEADER_BYTES;
      insert(stamp, record, offset, keyBytes, valueBytes);
      offset += (long) keyBytes + valueBytes;
    }
    lastSequence = sequence + operations - 1;
    endLsn = lsn;
    count = countBefore + operations;
  }

  private void insert(
      long stamp, MemorySegment source, long keyOffset, int keyBytes, int valueBytes) {
    long charge = BatchFormat.operationSizeBytes(keyBytes, valueBytes);
    int nodeHeight = chooseHeight(charge + spareBytes, keyBytes, valueBytes);
    long nodeBytes = NodeFormat.sizeBytes(nodeHeight, keyBytes, valueBytes);
    chargedBytes += charge;
    spareBytes += charge - nodeBytes;

    long node = arena.allocateZeroed(nodeBytes, Long.BYTES);
    NodeFormat.putHeader(node, stamp, nodeHeight, keyBytes, valueBytes);
    long keyAddress = NodeFormat.keyAddress(node);
    // Key and value lie side by side in the record too.
    Memory.copyFrom(source, keyOffset, keyAddress, (long) keyBytes + valueBytes);
    findSplice(keyAddress, keyBytes, stamp);
    link(node, nodeHeight);
  }

  /**
   * Draws a height. An operation is charged a fixed overhead, which is more than a node of mean
   * height needs; where luck has used that up, the node stays low. So the charges are an upper
   * bound of the memory, and whether a batch fits is known before it goes to the log.
   */
  private int chooseHeight(long bytesMax, int keyBytes, int valueBytes) {
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    long bits = random;
    int drawn = 1;
    while (drawn < NodeFormat.HEIGHT_MAX
        && (bits & LEVEL_MASK) == 0
        && NodeFormat.sizeBytes(drawn + 1, keyBytes, valueBytes) <= bytesMax) {
      drawn++;
      bits >>>= 2;
    }
    return drawn;
  }

  /** Sets {@link #splice} to the last node before the key on each level. */
  private void findSplice(long keyAddress, int keyBytes, long stamp) {
    long node = head;
    for (int level = NodeFormat.HEIGHT_MAX - 1; level >= 0; level--) {
      long next = Memory.getLong(NodeFormat.nextLink(node, level));
      while (next != NONE && isBefore(next, keyAddress, keyBytes, stamp)) {
        node = next;
        next = Memory.getLong(NodeFormat.nextLink(node, level));
      }
      splice[level] = node;
    }
  }

  private static boolean isBefore(long node, long keyAddress, int keyBytes, long stamp) {
    int order =
        Memory.compareUnsigned(
            NodeFormat.keyAddress(node), NodeFormat.keyBytes(node), keyAddress, keyBytes);
    return order < 0 || (order == 0 && RecordKind.compareStamps(NodeFormat.stamp(node), stamp) < 0);
  }

  /*
   * The node is complete before the first link to it is released, so a reader whose acquire finds the link sees all of
   * it. The link on level 0 comes first: a node that is found from above can always be walked on from. The link back
   * comes last: until then a reader going backward passes by a node that is newer than anything it may see.
   */
  private void link(long node, int nodeHeight) {
    long following = Memory.getLong(NodeFormat.nextLink(splice[0], 0));
    Memory.putLong(NodeFormat.previousLink(node), splice[0]);
    for (int level = 0; level < nodeHeight; level++) {
      long before = NodeFormat.nextLink(splice[level], level);
      Memory.putLong(NodeFormat.nextLink(node, level), Memory.getLong(before));
      Memory.putLongRelease(before, node); // partner: next
    }
    if (following != NONE) {
      Memory.putLongRelease(NodeFormat.previousLink(following), node); // partner: previous
    }
    if (nodeHeight > height) {
      height = nodeHeight;
    }
  }

  public long firstSequence() {
    return firstSequence;
  }

  public long lastSequence() {
    return lastSequence;
  }

  /** The end in the log of the newest record. */
  public long endLsn() {
    return endLsn;
  }

  // ---- reading, any thread that has retained the memtable

  public long count() {
    return count;
  }

  public boolean isEmpty() {
    return count == 0;
  }

  /** Returns the first node, or {@link #NONE}. */
  public long first() {
    return next(head, 0);
  }

  /** Returns the last node, or {@link #NONE}. */
  public long last() {
    long node = head;
    for (int level = height - 1; level >= 0; level--) {
      for (long next = next(node, level); next != NONE; next = next(node, level)) {
        node = next;
      }
    }
    return node == head ? NONE : node;
  }

  public long next(long node) {
    return next(node, 0);
  }

  private static long next(long node, int level) {
    return Memory.getLongAcquire(NodeFormat.nextLink(node, level)); // partner: link
  }

  public long previous(long node) {
    long previous = Memory.getLongAcquire(NodeFormat.previousLink(node)); // partner: link
    return previous == head ? NONE : previous;
  }

  /** Returns the first node that is not before the key and stamp, or {@link #NONE}. */
  public long findAtOrAfter(SearchKey key, long stamp) {
    long node = head;
    long next = NONE;
    for (int level = height - 1; level >= 0; level--) {
      next = next(node, level);
      while (next != NONE && compare(next, key, stamp) < 0) {
        node = next;
        next = next(node, level);
      }
    }
    return next;
  }

  private static int compare(long node, SearchKey key, long stamp) {
    int order = compareKey(node, key);
    return order != 0 ? order : RecordKind.compareStamps(NodeFormat.stamp(node), stamp);
  }

  public static int compareKey(long node, SearchKey key) {
    return Memory.compareUnsigned(
        NodeFormat.keyAddress(node), NodeFormat.keyBytes(node), key.address(), key.lengthBytes());
  }

  /** Returns bytes of this memtable for the user: read-only, and unusable once they are freed. */
  public MemorySegment segment(long address, long lengthBytes) {
    return arena.segment(address, lengthBytes).asReadOnly();
  }

  // ---- life

  public List<Table> flushed() {
    return flushed;
  }

  /** Tells that these tables, in order of their keys, hold the same records. */
  public void setFlushed(List<Table> tables) {
    for (Table table : tables) {
      table.references.retain();
    }
    flushed = List.copyOf(tables);
  }

  /** Leaves the memtable. */
  public void release() {
    if (references.release()) {
      List<Table> tables = flushed;
      if (tables != null) {
        tables.forEach(Table::release);
      }
      space.free(arena);
    }
  }
}
