package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOptions;
import io.ewok.gds.wal.LogTruncatedException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs a text of operations on a store and on a {@link TreeMap}, which must agree all the time.
 *
 * <p>Families that let their oldest tables go do so when they may, in the background: before each
 * line all that may go is waited for, and what was in it taken from the models, see {@link
 * DropWatch}.
 *
 * <p>Each line stands for itself, so that lines can be taken away: what is said of a cursor or
 * snapshot that is not open, or of a family that is not there, does nothing. Keys and values are
 * given by numbers. What ends in {@code @N}, such as {@code put@2} or {@code 2@KEY=VALUE} in a
 * batch, is of family N; they differ in options. All else is of the default family.
 *
 * <pre>
 * options NAME=NUMBER ...        before all else
 * put KEY VALUE DURABILITY    delete KEY DURABILITY    sdelete KEY DURABILITY
 * rdelete KEY KEY DURABILITY                             of a range, whichever comes first
 * merge KEY OPERAND DURABILITY                           the model appends it
 * batch DURABILITY KEY=VALUE KEY- KEY~ N@KEY+OPERAND KEY..KEY ...   where ~ is a single delete
 * indexed DURABILITY ...                                 the same, read through before it is written
 * ingest KEY=VALUE KEY- ...                              sorted; of a key that is there twice the later
 * get KEY    into KEY    pin KEY
 * snapshot N    unsnap N    old N KEY
 * cursor N [from=KEY] [to=KEY] [prefix=KEY] [filter=NUMBER] [of=SNAPSHOT]    uncursor N
 * first N    last N    seek N KEY    seekprev N KEY    next N    previous N    fill N COUNT
 * ranges N [filter=NUMBER] [of=SNAPSHOT] KEY KEY ...     from one to the next, in their order
 * rmove N first|last|next|previous|nextrange|previousrange COUNT    unranges N
 * changes N HOLDBYTES    follow N COUNT    tail N KEY    tailnext N COUNT
 * change NAME=VALUE    create N    drop N    clone N N  the latter of the former
 * replica                                                opens the store read-only, or refreshes that
 * txn N ISOLATION    txn N LOCKS                         the latter of the snapshot level
 * tput N KEY VALUE    tdelete N KEY    tmerge N KEY OPERAND    trdelete N KEY KEY
 * tget N KEY    tupdate N KEY    tscan N KEY COUNT    tranges N COUNT KEY KEY ...
 * tsave N    tback N
 * tcommit N DURABILITY    trollback N
 * flush    compact [KEY KEY]    reopen    crash SEED    check    tick MILLISECONDS
 * </pre>
 */
final class StoreScript {
  private static final int BATCH_BYTES = 8 << 10;

  private static final Path BACKUPS = Path.of("/backups");

  /** So short that a store is at rest between two operations now and then. */
  private static final long REST_NANOS = 50_000;

  /** The number in a script is the place here. */
  private static final List<Compression> COMPRESSIONS =
      List.of(Compression.NONE, Compression.LZ4, Compression.ZSTD);

  /** They append; the second does not combine. A filter has one of its own. */
  private static final List<MergeOperator> OPERATORS =
      List.of(
          MergeOperators.append(new byte[] {','}),
          new MergeOperator() {
            @Override
            public String name() {
              return "append without combining";
            }

            @Override
            public void merge(MemorySegment key, Operands operands, ResultBytes result) {
              OPERATORS.getFirst().merge(key, operands, result);
            }
          });

  private SimEngine engine = new SimEngine(1);

  /** Null if nothing is encrypted. */
  private TestKeys keys;

  /** Those that keep everything. The third one is for families that are said to let tables go. */
  private static final List<CompactionStyle> STYLES =
      List.of(CompactionStyle.LEVELED, CompactionStyle.TIERED);

  /** Instead of one of them: another one whenever the store is opened. */
  private static final int STYLE_CHANGES = STYLES.size();

  private boolean changesStyle;

  /** Nothing is dropped as long as there is no more than that. */
  private static final long FIFO_UNLIMITED = 1L << 40;

  /** Where nothing is merged, a cursor has a block of each of many tables. */
  private static final long FIFO_POOL_BYTES = 32 << 20;

  /** Whether a family may let its oldest tables go. */
  private boolean hasFifo;

  /** What goes with them. */
  private DropWatch watch;

  private StoreOptions options =
      Fixtures.TINY
          .withPoolBytes(2 << 20)
          .withTree(Fixtures.TINY.tree().withMergeOperator(OPERATORS.getFirst()));
  private Store store;
  private final AtomicLong clock = new AtomicLong(1_000_000);

  /** All operations, in the order of their sequence numbers. */
  private final List<Operation> history = new ArrayList<>();

  /** Families that are there, by number; 0 is the default one. */
  private final Map<Integer, Home> homes = new TreeMap<>();

  /** That of the current line. */
  private Home home;

  private long durable;

  /** What others see who follow the store, at least. */
  private long written;

  /** Null as long as there is none. */
  private ReadOnlyStore replica;

  /** How many there were. */
  private int copies;

  /** Whether something came into the store since its first backup that is in no log. */
  private boolean hasIngested;

  /** Sequence numbers at which a batch ended. */
  private final TreeMap<Long, Long> ends = new TreeMap<>(Map.of(0L, 0L));

  private final Map<Integer, OpenCursor> cursors = new HashMap<>();
  private final Map<Integer, ScriptRanges> ranges = new HashMap<>();
  private final Map<Integer, OpenSnapshot> snapshots = new HashMap<>();
  private final Map<Integer, OpenChanges> readers = new HashMap<>();
  private final Map<Integer, OpenTail> tails = new HashMap<>();
  private final Map<Integer, ScriptTransaction> transactions = new HashMap<>();
  private final MemoryBudget budget = MemoryBudget.root("changes", 8 << 20);

  long flushes;
  long merges;
  long mergesWithinLevel0;
  long valueFiles;
  long misses;
  long commits;
  long conflicts;
  long drops;
  long clones;

  /** A family, and what it should have. One that is dropped and created again is another. */
  static final class Home {
    final int number;
    final TreeOptions tree;
    Family family;
    NavigableMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
    long lastFloor;
    boolean isDropped;

    /** What it was cloned from, or null, and how many operations there were then. */
    Home fromOrNull;

    int cloned;

    /** How many operations have expired, of all families. */
    int expired;

    /** By key, how many operations there had been when its newest was written that was dropped. */
    final NavigableMap<byte[], Integer> droppedUpTo = new TreeMap<>(Fixtures.ORDER);

    Home(int number, TreeOptions tree) {
      this.number = number;
      this.tree = tree;
    }

    /** Whether an operation of the history is one of this family, or was before it was cloned. */
    boolean has(Operation operation, int at) {
      return operation.home == this
          || (fromOrNull != null && at < cloned && fromOrNull.has(operation, at));
    }

    static String name(int number) {
      return number == 0 ? Family.DEFAULT_NAME : "f" + number;
    }

    /** Whether tables go by themselves. */
    boolean isFifo() {
      return tree.style() == CompactionStyle.FIFO;
    }

    boolean isFiltered() {
      return tree.compactionFilter() != CompactionFilter.NONE;
    }

    boolean hasOperator() {
      return tree.mergeOperator() != MergeOperator.NONE;
    }

    byte[] delimiter() {
      return isFiltered() ? new byte[0] : new byte[] {','};
    }

    /** A value that was read, or null if a filter may have removed it at any time. */
    byte[] shown(byte[] valueOrNull) {
      return valueOrNull != null && valueOrNull.length == 0 && isFiltered() ? null : valueOrNull;
    }
  }

  /** A put or delete, or an operand; or the delete of a range. */
  static final class Operation {
    final Home home;
    final byte[] key;
    final byte[] valueOrNull;
    final boolean isOperand;

    /** Where the range ends, or null. */
    final byte[] endOrNull;

    long writtenMillis;

    /** Whether it was old enough at some time. */
    boolean mayHaveExpired;

    /** Whether it is in no log. */
    boolean isIngested;

    /** What stands before an operand. */
    final byte[] delimiter;

    Operation(Home home, byte[] key, byte[] valueOrNull, boolean isOperand) {
      this.home = home;
      this.delimiter = home.delimiter();
      this.key = key;
      this.valueOrNull = valueOrNull;
      this.isOperand = isOperand;
      this.endOrNull = null;
    }

    Operation(Home home, byte[] first, byte[] end) {
      this.home = home;
      this.delimiter = null;
      this.key = first;
      this.valueOrNull = null;
      this.isOperand = false;
      this.endOrNull = end;
    }

    void apply() {
      applyTo(home.model);
    }

    void applyTo(NavigableMap<byte[], byte[]> to) {
      if (endOrNull != null) {
        to.subMap(key, endOrNull).clear();
      } else if (valueOrNull == null) {
        to.remove(key);
      } else {
        to.merge(key, valueOrNull, (before, value) -> isOperand ? appended(before, value) : value);
      }
    }

    private byte[] appended(byte[] before, byte[] operand) {
      ByteBuffer both = ByteBuffer.allocate(before.length + delimiter.length + operand.length);
      return both.put(before).put(delimiter).put(operand).array();
    }
  }

  /**
   * A snapshot, and what it should see.
   *
   * @param count how many operations there were
   * @param expired how many of them had expired, by family
   */
  private record OpenSnapshot(
      Snapshot snapshot,
      Map<Home, NavigableMap<byte[], byte[]>> models,
      int count,
      Map<Home, Integer> expired) {
    /** What it should show of a family; nothing of one that was created later. */
    NavigableMap<byte[], byte[]> model(Home home) {
      return models.getOrDefault(home, new TreeMap<>(Fixtures.ORDER));
    }

    ReadView view(Home home) {
      return home.number == 0 ? snapshot : snapshot.family(home.family);
    }
  }

  /** A cursor, what it should see, and the key it should be on. */
  private static final class OpenCursor {
    final Home home;
    final StoreCursor cursor;
    final NavigableMap<byte[], byte[]> model;
    final CursorOptions bounds;
    final int filter;
    final boolean ofStore;
    byte[] at;

    OpenCursor(
        Home home,
        StoreCursor cursor,
        NavigableMap<byte[], byte[]> model,
        CursorOptions bounds,
        int filter,
        boolean ofStore) {
      this.home = home;
      this.cursor = cursor;
      this.model = model;
      this.bounds = bounds;
      this.filter = filter;
      this.ofStore = ofStore;
    }
  }

  /** A tailing cursor, what it has in sight, and the key that it was on last. */
  private static final class OpenTail {
    final Home home;
    final TailingCursor cursor;
    NavigableMap<byte[], byte[]> seen = new TreeMap<>(Fixtures.ORDER);
    byte[] at;
    boolean isBehind;

    OpenTail(Home home, TailingCursor cursor, byte[] from) {
      this.home = home;
      this.cursor = cursor;
      this.at = from;
    }

    byte[] following() {
      return isBehind ? seen.higherKey(at) : seen.ceilingKey(at);
    }
  }

  /** A reader of changes, and how much of the history it has come by. */
  private static final class OpenChanges {
    final StoreChanges changes;
    final long holdBytes;
    int at;

    OpenChanges(StoreChanges changes, long holdBytes, int at) {
      this.changes = changes;
      this.holdBytes = holdBytes;
      this.at = at;
    }
  }

  /** Runs a script; an exception or a failed assertion names the line. */
  void run(List<String> lines) {
    for (int i = 0; i < lines.size(); i++) {
      try {
        run(lines.get(i).split(" "));
      } catch (Exception | AssertionError e) {
        throw new AssertionError("line " + (i + 1) + ": " + lines.get(i), e);
      }
    }
    try {
      if (store != null) {
        run(new String[] {"check"});
        run(new String[] {"reopen"});
        run(new String[] {"check"});
        run(new String[] {"replica"});
        closeReplica();
        store.close();
        forgetReaders();
        assertEquals(0, budget.usedBytes());
      }
    } catch (Exception | AssertionError e) {
      throw new AssertionError("at the end", e);
    }
  }

  private void run(String[] words) throws Exception {
    if (words[0].equals("options")) {
      setOptions(words);
      return;
    }
    if (store == null) {
      store = open();
      homes.put(0, new Home(0, options.tree()));
      takeHandles();
      watchDrops();
    }
    int at = words[0].indexOf('@');
    home = homes.get(at < 0 ? 0 : number(words[0].substring(at + 1)));
    if (home == null) {
      return;
    }
    if (at >= 0) {
      words[0] = words[0].substring(0, at);
    }
    takeDrops();
    switch (words[0]) {
      case "put", "delete", "sdelete", "rdelete", "merge", "batch", "indexed" -> write(words);
      case "ingest" -> ingest(words);
      case "get" ->
          assertArrayEquals(
              home.shown(home.model.get(key(words[1]))),
              home.shown(home.family.get(key(words[1]))));
      case "into" -> into(key(words[1]));
      case "pin" -> pin(key(words[1]));
      case "snapshot" -> snapshot(number(words[1]));
      case "unsnap" -> closeSnapshot(number(words[1]));
      case "old" -> old(number(words[1]), key(words[2]));
      case "cursor" -> cursor(words);
      case "uncursor" -> closeCursor(number(words[1]));
      case "ranges" -> ranges(words);
      case "rmove" -> {
        ScriptRanges open = ranges.get(number(words[1]));
        if (open != null) {
          open.move(words[2], number(words[3]));
        }
      }
      case "unranges" -> closeRanges(number(words[1]));
      case "first", "last", "seek", "seekprev", "next", "previous", "fill", "refresh" ->
          move(words);
      case "changes" -> changes(number(words[1]), number(words[2]));
      case "follow" -> follow(number(words[1]), number(words[2]));
      case "txn" -> begin(number(words[1]), words[2]);
      case "tput",
          "tdelete",
          "tmerge",
          "trdelete",
          "tget",
          "tupdate",
          "tscan",
          "tranges",
          "tsave",
          "tback" ->
          inTransaction(words);
      case "tcommit" -> commit(number(words[1]), Durability.valueOf(words[2]));
      case "trollback" -> rollback(number(words[1]));
      case "tail" -> tail(number(words[1]), key(words[2]));
      case "tailnext" -> tailNext(number(words[1]), number(words[2]));
      case "change" -> change(words[1]);
      case "create" -> create(number(words[1]));
      case "clone" -> cloneFamily(number(words[1]), number(words[2]));
      case "drop" -> drop(number(words[1]));
      case "replica" -> replica();
      case "flush" -> store.flush();
      case "checkpoint", "backup" -> copy(words[0].equals("backup"));
      case "compact" -> compact(words);
      case "reopen" -> reopen();
      case "crash" -> crash(number(words[1]));
      case "check" -> check();
      case "tick" -> tick(number(words[1]));
      default -> throw new IllegalArgumentException("no such operation: word=" + words[0]);
    }
  }

  private void setOptions(String[] words) {
    for (int i = 1; i < words.length; i++) {
      int equals = words[i].indexOf('=');
      int value = number(words[i].substring(equals + 1));
      options =
          switch (words[i].substring(0, equals)) {
            case "block" -> options.withBlockBytes(value);
            case "table" -> options.withTableBytes(value);
            case "memtable" -> options.withMemtableBytes(value);
            case "merge" -> options.withTablesBeforeMerge(value);
            case "pool" -> options.withPoolBytes((long) value << 20);
            case "records" -> options.withRecordCacheBytes((long) value << 10);
            case "parts" -> // of the pool, each as large as it was
                options
                    .withPoolBytes(value * options.poolBytes())
                    .withMemory(placed(value, options.memory()));
            case "compression" -> options.withCompression(COMPRESSIONS.get(value));
            case "filter" ->
                options.withTree(
                    options.tree().withEachLevel(level -> level.withFilterBitsPerKey(value)));
            case "operator" ->
                options.withTree(options.tree().withMergeOperator(OPERATORS.get(value)));
            case "cfilter" ->
                value == 0
                    ? options
                    : options.withTree(
                        options
                            .tree()
                            .withMergeOperator(MergeOperators.append(new byte[0]))
                            .withCompactionFilter(StoreScript::withoutEmpty));
            case "flushfilter" -> options.withTree(options.tree().withFiltersFlushes(value == 1));
            case "ttl" -> options.withTree(options.tree().withTtl(Duration.ofSeconds(value)));
            case "style" -> {
              changesStyle = value == STYLE_CHANGES;
              yield options.withTree(options.tree().withStyle(STYLES.get(value % STYLES.size())));
            }
            case "fifo" -> { // KiB, of all families but the first
              hasFifo = true;
              changesStyle = false;
              yield options.withPoolBytes(FIFO_POOL_BYTES).withTree(fifo(options.tree(), value));
            }
            case "fifo3" -> { // KiB, of the third family alone
              hasFifo = true;
              yield options
                  .withPoolBytes(FIFO_POOL_BYTES)
                  .withFamily(Home.name(3), fifo(options.tree(), value));
            }
            case "prefix" -> options.withTree(options.tree().withFilterPrefixBytes(value));
            case "separate" -> options.withTree(options.tree().withSeparatedValueBytes(value));
            case "keys", "sealed" -> { // with a time without encryption, or none
              keys = new TestKeys(value);
              if (words[i].startsWith("sealed")) {
                keys.readNothingPlain();
              }
              engine = new SimEngine(1, SimOptions.defaults().withKeys(keys));
              yield options;
            }
            case "archive" -> value == 0 ? options : options.withArchive(Backups.archive(BACKUPS));
            case "garbage" -> options.withTree(options.tree().withValueGarbagePercent(value));
            default -> throw new IllegalArgumentException("no such option: word=" + words[i]);
          };
    }
  }

  /**
   * Removes empty values. Readers of these scripts take them for none, and so does the operator
   * that puts operands behind them without a delimiter: when they go makes no difference.
   */
  private static CompactionFilter.Decision withoutEmpty(
      MemorySegment key, MemorySegment value, ResultBytes result) {
    return value.byteSize() == 0
        ? CompactionFilter.Decision.REMOVE
        : CompactionFilter.Decision.KEEP;
  }

  /** Passes by values that a filter may remove. */
  private static void settle(Home of, StoreCursor cursor, boolean forward) throws IOException {
    while (of.isFiltered() && cursor.isValid() && cursor.value().byteSize() == 0) {
      if (forward) {
        cursor.next();
      } else {
        cursor.previous();
      }
    }
  }

  /** Whatever machine this is, it has the first node. */
  private static MemoryOptions placed(int parts, MemoryOptions memory) {
    PlacementPolicy first = PlacementPolicy.preferred(0);
    return memory
        .withHugePages(HugePages.OFF)
        .withPool(Collections.nCopies(parts, first))
        .withMemtables(first)
        .withRecordCache(first)
        .withBuffers(first);
  }

  /** How families differ: the third one has the options of the store. */
  private TreeOptions tree(int number) {
    TreeOptions tree = options.tree();
    return switch (number) {
      case 1 ->
          tree.withTtl(Duration.ZERO)
              .withCompactionFilter(CompactionFilter.NONE)
              .withSeparatedValueBytes(tree.separatedValueBytes() / 4)
              .withMergeOperator(OPERATORS.getLast())
              .withEachLevel(level -> level.withCompression(Compression.LZ4))
              .withStyle(CompactionStyle.TIERED);
      case 2 ->
          tree.withMergeOperator(MergeOperator.NONE)
              .withCompactionFilter(CompactionFilter.NONE)
              .withTtl(Duration.ofSeconds(2))
              .withTablesBeforeMerge(2)
              .withFilterPrefixBytes(1);
      default -> options.families().getOrDefault(Home.name(number), tree);
    };
  }

  private static TreeOptions fifo(TreeOptions tree, int kib) {
    return tree.withStyle(CompactionStyle.FIFO).withFifoBytes((long) kib << 10);
  }

  /** The options to open the store with: nothing goes before the watch has had a look. */
  private StoreOptions opening() {
    StoreOptions opening = options.withTree(options.tree().withFifoBytes(FIFO_UNLIMITED));
    for (Map.Entry<String, TreeOptions> family : options.families().entrySet()) {
      opening =
          opening.withFamily(family.getKey(), family.getValue().withFifoBytes(FIFO_UNLIMITED));
    }
    return opening;
  }

  /** From here on tables go, unless they are few. */
  private void watchDrops() throws IOException {
    if (!hasFifo) {
      return;
    }
    lookForDrops();
    for (Family family : store.families()) {
      String of = options.families().containsKey(family.name()) ? ".family." + family.name() : "";
      long bytes = options.tree(family.name()).fifoBytes();
      if (!family.name().equals(Transactions.FAMILY)) {
        store.change(Map.of("store" + of + ".fifo", Long.toString(bytes)));
      }
    }
    takeDrops();
  }

  private void lookForDrops() throws IOException {
    Object unused =
        store
            .background()
            .run(
                () -> {
                  watch.look(store);
                  return null;
                },
                "cannot look");
  }

  /** Waits until all that may go now is gone, and takes it from the models. */
  private void takeDrops() throws IOException {
    if (!hasFifo) {
      return;
    }
    Fixtures.await(store, () -> !mayDrop());
    lookForDrops(); // by then all is told
    boolean some = false;
    for (DropWatch.Dropped gone = watch.poll(); gone != null; gone = watch.poll()) {
      if (gone.notAllowedOrNull() != null) {
        throw gone.notAllowedOrNull();
      }
      some |= takeDropped(gone);
      drops++;
    }
    if (some) {
      homes.values().stream().filter(Home::isFifo).forEach(this::expire);
      snapshots.values().forEach(this::takeDropsFrom);
    }
  }

  private boolean mayDrop() {
    Version version = store.parts().versions.retain();
    try {
      boolean may = version.frozen() != null;
      for (FamilyState family : store.parts().families.all()) {
        CompactionOptions now = store.parts().live.compaction(family);
        may |=
            now.style() == CompactionStyle.FIFO
                && CompactionPicker.of(now).score(version.levels(family), 0) > 1;
      }
      return may;
    } finally {
      store.parts().versions.release(version);
    }
  }

  private boolean takeDropped(DropWatch.Dropped gone) {
    for (Home there : homes.values()) {
      if (there.family.id() == gone.family() && there.isFifo()) {
        gone.newest()
            .forEach(
                (key, sequence) ->
                    there.droppedUpTo.merge(
                        key, ends.ceilingEntry(sequence).getValue().intValue(), Math::max));
        return true;
      }
    }
    return false;
  }

  /** Whoever has a snapshot does not see it any more either; open cursors do. */
  private void takeDropsFrom(OpenSnapshot open) {
    for (Home there : homes.values()) {
      if (there.isFifo() && open.models.containsKey(there)) {
        open.models.put(there, model(there, open.expired.get(there), open.count));
      }
    }
  }

  private void takeHandles() {
    List<String> names = new ArrayList<>();
    for (Home there : homes.values()) {
      there.family = store.family(Home.name(there.number)).orElseThrow();
      names.add(there.family.name());
    }
    assertEquals(
        names.stream().sorted().toList(),
        store.families().stream().map(Family::name).sorted().toList());
  }

  private void create(int number) throws IOException {
    if (homes.containsKey(number)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> store.createFamily(Home.name(number), tree(number)));
      return;
    }
    Home created = new Home(number, tree(number));
    created.family = store.createFamily(Home.name(number), created.tree);
    homes.put(number, created);
  }

  private void cloneFamily(int number, int cloneNumber) throws IOException {
    Home from = homes.get(number);
    if (from == null) {
      return;
    }
    TreeOptions tree = tree(cloneNumber);
    String name = Home.name(cloneNumber);
    boolean fits =
        !from.hasOperator() || from.tree.mergeOperator().name().equals(tree.mergeOperator().name());
    if (homes.containsKey(cloneNumber) || !fits) {
      assertThrows(
          IllegalArgumentException.class, () -> store.cloneFamily(from.family, name, tree));
      return;
    }
    List.copyOf(transactions.keySet()).forEach(this::rollback);
    Home clone = new Home(cloneNumber, tree);
    clone.fromOrNull = from;
    clone.cloned = history.size();
    clone.family = store.cloneFamily(from.family, name, tree);
    takeDrops(); // what has been flushed for it may have made some
    clone.model = new TreeMap<>(from.model);
    clone.droppedUpTo.putAll(from.droppedUpTo);
    clone.lastFloor = from.lastFloor;
    clone.expired = from.expired;
    homes.put(cloneNumber, clone);
    durable = history.size();
    written = history.size();
    for (OpenSnapshot open : snapshots.values()) {
      open.models.put(clone, new TreeMap<>(open.model(from)));
      open.expired.put(clone, open.expired.getOrDefault(from, 0));
    }
    clones++;
    expire(clone); // it may have a shorter time to live
    check(clone, clone.family);
  }

  /** Cursors on it stay open, and go on. */
  private void drop(int number) throws IOException {
    Home dropped = homes.remove(number);
    if (dropped == null) {
      return;
    }
    dropped.isDropped = true;
    List.copyOf(transactions.keySet()).forEach(this::rollback);
    store.dropFamily(dropped.family);
    assertThrows(IllegalStateException.class, () -> dropped.family.get(new byte[0]));
    assertThrows(
        IllegalStateException.class,
        () -> dropped.family.put(new byte[0], new byte[0], Durability.NONE));
    for (int tail : List.copyOf(tails.keySet())) {
      if (tails.get(tail).home == dropped) {
        tails.remove(tail).cursor.close(); // it cannot go on behind its end
      }
    }
  }

  private Store open() throws IOException {
    if (keys != null && keys.readsPlain()) {
      keys.rotate();
    } else if (keys != null) {
      keys.rotateKeys();
    }
    for (int number = 1; number < 3; number++) {
      options = options.withFamily(Home.name(number), tree(number));
    }
    if (changesStyle) {
      TreeOptions tree = options.tree();
      int next = (STYLES.indexOf(tree.style()) + 1) % STYLES.size();
      options = options.withTree(tree.withStyle(STYLES.get(next)));
    }
    watch = new DropWatch();
    StoreOptions now = hasFifo ? opening().withListener(watch) : options;
    Store opened = Store.open(Fixtures.DIRECTORY, now, engine, clock::get);
    opened.background().setRest(REST_NANOS);
    return opened;
  }

  private static int number(String word) {
    return Integer.parseInt(word);
  }

  /** Keys of all shapes: empty, prefixes of each other, bytes above 127, a long one. */
  static byte[] key(String word) {
    int number = number(word);
    int length = number == 399 ? 3_000 : number % 7;
    byte[] key = new byte[length];
    for (int i = 0; i < length; i++) {
      key[i] = (byte) ((number * 31) >> (i % 5));
    }
    return key;
  }

  /** A value by its length and a seed: {@code 100:7}. */
  private static byte[] value(String word) {
    int colon = word.indexOf(':');
    SplittableRandom random = new SplittableRandom(number(word.substring(colon + 1)));
    return Fixtures.randomBytes(random, number(word.substring(0, colon)));
  }

  private static MemorySegment segment(byte[] bytes) {
    return MemorySegment.ofArray(bytes);
  }

  // ---- writing

  private void write(String[] words) throws IOException {
    Durability durability;
    Family family = home.family;
    switch (words[0]) {
      case "put" -> {
        durability = Durability.valueOf(words[3]);
        family.put(key(words[1]), value(words[2]), durability);
        add(home, key(words[1]), value(words[2]));
      }
      case "delete" -> {
        durability = Durability.valueOf(words[2]);
        family.delete(key(words[1]), durability);
        add(home, key(words[1]), null);
      }
      case "merge" -> {
        if (!home.hasOperator()) {
          write(new String[] {"put", words[1], words[2], words[3]});
          return;
        }
        durability = Durability.valueOf(words[3]);
        family.merge(key(words[1]), value(words[2]), durability);
        add(new Operation(home, key(words[1]), value(words[2]), true));
      }
      case "rdelete" -> {
        durability = Durability.valueOf(words[3]);
        byte[] first = key(words[1]);
        byte[] end = key(words[2]);
        int order = Fixtures.ORDER.compare(first, end);
        if (order == 0) {
          assertThrows(
              IllegalArgumentException.class, () -> family.deleteRange(first, end, durability));
          return;
        }
        family.deleteRange(order < 0 ? first : end, order < 0 ? end : first, durability);
        addRange(home, first, end);
      }
      case "sdelete" -> {
        durability = Durability.valueOf(words[2]);
        family.singleDelete(key(words[1]), durability);
        add(home, key(words[1]), null);
      }
      case "indexed" -> {
        durability = Durability.valueOf(words[1]);
        indexed(words).write(durability);
      }
      default -> {
        durability = Durability.valueOf(words[1]);
        store.write(batch(words), durability);
      }
    }
    ends.put(store.stats().sequence(), (long) history.size());
    if (durability == Durability.SYNCED) {
      durable = history.size();
    }
    if (durability != Durability.NONE) {
      written = history.size();
    }
  }

  private void ingest(String[] words) throws IOException {
    NavigableMap<byte[], byte[]> records = new TreeMap<>(Fixtures.ORDER);
    for (int i = 1; i < words.length; i++) {
      int equals = words[i].indexOf('=');
      if (equals >= 0) {
        records.put(key(words[i].substring(0, equals)), value(words[i].substring(equals + 1)));
      } else {
        records.put(key(words[i].substring(0, words[i].length() - 1)), null);
      }
    }
    try (SortedIngest ingest = home.family.ingest()) {
      for (Map.Entry<byte[], byte[]> record : records.entrySet()) {
        if (record.getValue() == null) {
          ingest.delete(record.getKey());
        } else {
          ingest.put(record.getKey(), record.getValue());
        }
      }
      long sequence = ingest.commit();
      if (store.options().archiveOrNull() == null) { // else a mark may come at any time
        assertEquals(sequence, store.stats().sequence());
      }
      assertTrue(sequence <= store.stats().sequence());
      hasIngested = true;
    }
    for (Map.Entry<byte[], byte[]> record : records.entrySet()) {
      Operation operation = new Operation(home, record.getKey(), record.getValue(), false);
      operation.isIngested = true;
      add(operation);
    }
    ends.put(store.stats().sequence(), (long) history.size());
    durable = history.size();
    written = history.size();
  }

  private WriteBatch batch(String[] words) {
    WriteBatch batch = new WriteBatch();
    for (int i = 2; i < words.length; i++) {
      int at = words[i].indexOf('@');
      Home in = homes.get(at < 0 ? 0 : number(words[i].substring(0, at)));
      if (in != null) {
        add(batch, in, words[i].substring(at + 1));
      }
    }
    return batch;
  }

  private IndexedBatch indexed(String[] words) throws IOException {
    IndexedBatch batch = store.indexedBatch();
    for (int i = 2; i < words.length; i++) {
      int at = words[i].indexOf('@');
      Home in = homes.get(at < 0 ? 0 : number(words[i].substring(0, at)));
      if (in != null) {
        byte[] key = add(batch, in, words[i].substring(at + 1));
        assertArrayEquals(in.shown(in.model.get(key)), in.shown(batch.get(in.family, key)));
        checkAround(batch, in, key);
      }
    }
    return batch;
  }

  /** The next key of the store as it would be, and the one before. */
  private static void checkAround(IndexedBatch batch, Home in, byte[] key) throws IOException {
    NavigableMap<byte[], byte[]> expected = inside(in, in.model, CursorOptions.defaults(), 0);
    try (StoreCursor cursor = batch.cursor(in.family, CursorOptions.defaults())) {
      cursor.seek(key);
      settle(in, cursor, true);
      Map.Entry<byte[], byte[]> next = expected.ceilingEntry(key);
      assertEquals(next != null, cursor.isValid());
      if (next != null) {
        assertArrayEquals(next.getKey(), Fixtures.array(cursor.key()));
        assertArrayEquals(next.getValue(), Fixtures.array(cursor.value()));
      }
      cursor.seekForPrev(key);
      settle(in, cursor, false);
      Map.Entry<byte[], byte[]> before = expected.floorEntry(key);
      assertEquals(before != null, cursor.isValid());
      if (before != null) {
        assertArrayEquals(before.getKey(), Fixtures.array(cursor.key()));
        assertArrayEquals(before.getValue(), Fixtures.array(cursor.value()));
      }
    }
  }

  /** Returns the key, or the first one of the range. */
  private byte[] add(IndexedBatch batch, Home in, String word) {
    int equals = word.indexOf('=');
    int plus = word.indexOf('+');
    int dots = word.indexOf("..");
    if (dots >= 0) {
      byte[] a = key(word.substring(0, dots));
      byte[] b = key(word.substring(dots + 2));
      boolean inOrder = Fixtures.ORDER.compare(a, b) < 0;
      if (!Arrays.equals(a, b)) {
        IndexedBatch unused = batch.deleteRange(in.family, inOrder ? a : b, inOrder ? b : a);
        addRange(in, a, b);
      }
      return inOrder ? a : b;
    }
    int middle = Math.max(plus, equals);
    byte[] key = key(word.substring(0, middle < 0 ? word.length() - 1 : middle));
    if (middle < 0) {
      IndexedBatch unused =
          word.endsWith("~")
              ? batch.singleDelete(in.family, segment(key))
              : batch.delete(in.family, key);
      add(in, key, null);
      return key;
    }
    byte[] value = value(word.substring(middle + 1));
    boolean isOperand = plus >= 0 && in.hasOperator();
    IndexedBatch unused =
        isOperand ? batch.merge(in.family, key, value) : batch.put(in.family, key, value);
    add(new Operation(in, key, value, isOperand));
    return key;
  }

  private void add(WriteBatch batch, Home in, String word) {
    int equals = word.indexOf('=');
    int plus = word.indexOf('+');
    int dots = word.indexOf("..");
    if (dots >= 0) {
      byte[] first = key(word.substring(0, dots));
      byte[] end = key(word.substring(dots + 2));
      int order = Fixtures.ORDER.compare(first, end);
      if (order != 0) {
        batch.deleteRange(in.family, order < 0 ? first : end, order < 0 ? end : first);
        addRange(in, first, end);
      }
    } else if (plus >= 0 && in.hasOperator()) {
      byte[] key = key(word.substring(0, plus));
      byte[] operand = value(word.substring(plus + 1));
      batch.merge(in.family, key, operand);
      add(new Operation(in, key, operand, true));
    } else if (plus >= 0 || equals >= 0) {
      int middle = Math.max(plus, equals);
      byte[] key = key(word.substring(0, middle));
      byte[] value = value(word.substring(middle + 1));
      if (in.number == 0) {
        batch.put(key, value);
      } else {
        batch.put(in.family, key, value);
      }
      add(in, key, value);
    } else {
      int end = word.length() - 1;
      byte[] key = key(word.substring(0, end));
      if (word.charAt(end) == '~') {
        batch.singleDelete(in.family, key);
      } else {
        batch.delete(in.family, key);
      }
      add(in, key, null);
    }
  }

  private void add(Home in, byte[] key, byte[] valueOrNull) {
    add(new Operation(in, key, valueOrNull, false));
  }

  /** Of two keys that are not the same. */
  private void addRange(Home in, byte[] a, byte[] b) {
    boolean isInOrder = Fixtures.ORDER.compare(a, b) < 0;
    add(isInOrder ? new Operation(in, a, b) : new Operation(in, b, a));
  }

  private void add(Operation operation) {
    operation.writtenMillis = clock.get();
    history.add(operation);
    operation.apply();
  }

  // ---- transactions

  private void begin(int number, String how) {
    rollback(number);
    TransactionOptions options =
        how.equals("LOCKS")
            ? TransactionOptions.defaults()
                .withIsolation(Isolation.SNAPSHOT)
                .withLocks(Duration.ZERO)
            : TransactionOptions.defaults().withIsolation(Isolation.valueOf(how));
    transactions.put(
        number,
        new ScriptTransaction(store.transactions().begin(options), options, homes, history.size()));
  }

  private void rollback(int number) {
    ScriptTransaction open = transactions.remove(number);
    if (open != null) {
      open.transaction.close();
    }
  }

  private void inTransaction(String[] words) throws IOException {
    int number = number(words[1]);
    ScriptTransaction open = transactions.get(number);
    if (open == null || !open.knows(home)) {
      return;
    }
    try {
      switch (words[0]) {
        case "tput" -> open.write(home, key(words[2]), value(words[3]), false);
        case "tdelete" -> open.write(home, key(words[2]), null, false);
        case "tmerge" -> open.write(home, key(words[2]), value(words[3]), home.hasOperator());
        case "trdelete" -> open.deleteRange(home, key(words[2]), key(words[3]));
        case "tget" -> open.get(home, key(words[2]), false);
        case "tupdate" -> open.get(home, key(words[2]), true);
        case "tscan" -> open.scan(home, key(words[2]), number(words[3]));
        case "tranges" -> open.scanRanges(home, keys(words, 3), number(words[2]));
        case "tsave" -> open.save();
        default -> open.goBack();
      }
    } catch (LockTimeoutException e) {
      assertTrue(transactions.size() > 1, "somebody else has the lock");
      rollback(number);
    } catch (ConflictException e) {
      assertTrue(open.mayMeet(history), e.getMessage());
      rollback(number);
    }
  }

  private void commit(int number, Durability durability) throws IOException {
    ScriptTransaction open = transactions.remove(number);
    if (open == null) {
      return;
    }
    try {
      open.transaction.commit(durability);
    } catch (ConflictException e) {
      assertTrue(open.mayMeet(history), e.getMessage());
      conflicts++;
      return;
    }
    if (!open.written().isEmpty()) { // else it has only read, what was right when it began
      // What was written and is gone again as a whole may be dropped before anybody sees it.
      assertTrue(!open.mayMeet(history) || open.isAsItWas(), "a conflict is not found");
      open.written().forEach(this::add);
      ends.put(store.stats().sequence(), (long) history.size());
      commits++;
      if (durability == Durability.SYNCED) {
        durable = history.size();
      }
    }
  }

  // ---- expiration

  private void tick(int millis) {
    clock.addAndGet(millis);
    store.background().awaitExpiration();
    expire();
  }

  /** Which operations have expired says the store; that they were old enough is checked. */
  private void expire() {
    homes.values().forEach(this::expire);
  }

  /** After what is in force or the clock has changed. */
  private void expire(Home of) {
    long ttlMillis = store.options().tree(Home.name(of.number)).ttl().toMillis();
    for (Operation operation : history) {
      if (operation.home == of && ttlMillis > 0) {
        operation.mayHaveExpired |= clock.get() - operation.writtenMillis >= ttlMillis;
      }
    }
    long floor = of.family.expiryFloor();
    assertTrue(floor >= of.lastFloor, "floor=" + floor + " before=" + of.lastFloor);
    of.lastFloor = floor;
    of.expired = expire(of, floor, history.size());
  }

  /** The same for the model after so many operations. */
  private int expire(Home of, long floor, int count) {
    int expired = floor == 0 ? 0 : ends.floorEntry(floor - 1).getValue().intValue();
    if (expired == 0 && of.droppedUpTo.isEmpty()) {
      return 0;
    }
    of.model = model(of, expired, count);
    for (Operation operation : history.subList(0, Math.min(expired, count))) {
      assertTrue(
          operation.home != of || operation.mayHaveExpired || mayExpireAtReplica(operation, of));
    }
    return expired;
  }

  /**
   * What so many operations make of a family, less those that have expired, and what was dropped.
   * An operand goes by itself: what is left of a key is what is made of those behind it.
   */
  private NavigableMap<byte[], byte[]> model(Home of, int expired, int count) {
    NavigableMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
    for (int i = expired; i < count; i++) {
      Operation operation = history.get(i);
      if (of.has(operation, i)
          && (operation.endOrNull != null || i >= of.droppedUpTo.getOrDefault(operation.key, 0))) {
        operation.applyTo(model);
      }
    }
    return model;
  }

  /** Who follows goes by what the store was opened with, too. */
  private boolean mayExpireAtReplica(Operation operation, Home of) {
    long ttlMillis = options.tree(Home.name(of.number)).ttl().toMillis();
    return replica != null && ttlMillis > 0 && clock.get() - operation.writtenMillis >= ttlMillis;
  }

  // ---- reading

  private void into(byte[] key) throws IOException {
    byte[] expected = home.shown(home.model.get(key));
    byte[] room = new byte[200];
    int found = home.family.get(segment(key), segment(room));
    found = found == 0 && home.isFiltered() ? ReadView.NOT_FOUND : found;
    assertEquals(expected == null ? ReadView.NOT_FOUND : expected.length, found);
    if (found >= 0 && found <= room.length) {
      assertArrayEquals(expected, Arrays.copyOf(room, found));
    }
  }

  private void pin(byte[] key) throws IOException {
    byte[] expected = home.shown(home.model.get(key));
    try (PinnedValue pin = new PinnedValue()) {
      boolean found = home.family.get(segment(key), pin);
      boolean hidden = found && home.isFiltered() && pin.lengthBytes() == 0;
      assertEquals(expected != null, found && !hidden);
      if (expected != null) {
        assertArrayEquals(expected, Fixtures.array(pin.segment()));
      }
    }
  }

  private void snapshot(int number) {
    closeSnapshot(number);
    Map<Home, NavigableMap<byte[], byte[]>> models = new HashMap<>();
    homes.values().forEach(there -> models.put(there, new TreeMap<>(there.model)));
    Map<Home, Integer> expired = new HashMap<>();
    homes.values().forEach(there -> expired.put(there, there.expired));
    snapshots.put(number, new OpenSnapshot(store.snapshot(), models, history.size(), expired));
  }

  private void closeSnapshot(int number) {
    OpenSnapshot open = snapshots.remove(number);
    if (open != null) {
      open.snapshot.close();
    }
  }

  private void old(int number, byte[] key) throws IOException {
    OpenSnapshot open = snapshots.get(number);
    if (open != null) {
      assertArrayEquals(
          home.shown(open.model(home).get(key)), home.shown(open.view(home).get(key)));
    }
  }

  private void cursor(String[] words) {
    closeCursor(number(words[1]));
    CursorOptions bounds = CursorOptions.defaults();
    ReadView view = home.family;
    NavigableMap<byte[], byte[]> seen = home.model;
    int filter = 0;
    for (int i = 2; i < words.length; i++) {
      int equals = words[i].indexOf('=');
      String what = words[i].substring(equals + 1);
      switch (words[i].substring(0, equals)) {
        case "from" -> bounds = bounds.withLower(key(what));
        case "to" -> bounds = bounds.withUpper(key(what));
        case "prefix" -> bounds = bounds.withPrefix(key(what));
        case "filter" -> {
          int chosen = number(what);
          filter = chosen;
          bounds = bounds.withFilter(record -> accepts(chosen, record.key(), record.value()));
        }
        default -> {
          OpenSnapshot open = snapshots.get(number(what));
          view = open == null ? view : open.view(home);
          seen = open == null ? seen : open.model(home);
        }
      }
    }
    cursors.put(
        number(words[1]),
        new OpenCursor(
            home,
            view.cursor(bounds),
            inside(home, seen, bounds, filter),
            bounds,
            filter,
            view == home.family));
  }

  /** The filter of a number rejects about one record in so many; 0 is none. */
  private static boolean accepts(int filter, MemorySegment key, MemorySegment value) {
    return filter == 0 || (sum(key) + sum(value)) % filter != 0;
  }

  private static long sum(MemorySegment bytes) {
    long size = bytes.byteSize();
    return size == 0 ? 0 : size + (bytes.get(ValueLayout.JAVA_BYTE, size - 1) & 0xFF);
  }

  private static NavigableMap<byte[], byte[]> inside(
      Home of, NavigableMap<byte[], byte[]> seen, CursorOptions bounds, int filter) {
    NavigableMap<byte[], byte[]> inside = new TreeMap<>(seen);
    inside.values().removeIf(value -> of.shown(value) == null);
    if (bounds.lowerOrNull() != null) {
      inside.headMap(Fixtures.array(bounds.lowerOrNull()), false).clear();
    }
    if (bounds.upperOrNull() != null) {
      inside.tailMap(Fixtures.array(bounds.upperOrNull()), true).clear();
    }
    inside
        .entrySet()
        .removeIf(entry -> !accepts(filter, segment(entry.getKey()), segment(entry.getValue())));
    return inside;
  }

  private void closeCursor(int number) {
    OpenCursor open = cursors.remove(number);
    if (open != null) {
      open.cursor.close();
    }
  }

  private void ranges(String[] words) {
    closeRanges(number(words[1]));
    CursorOptions options = CursorOptions.defaults();
    ReadView view = home.family;
    NavigableMap<byte[], byte[]> seen = home.model;
    int filter = 0;
    int at = 2;
    for (; at < words.length && words[at].contains("="); at++) {
      int number = number(words[at].substring(words[at].indexOf('=') + 1));
      if (words[at].startsWith("filter=")) {
        filter = number;
        options = options.withFilter(record -> accepts(number, record.key(), record.value()));
      } else {
        OpenSnapshot open = snapshots.get(number);
        view = open == null ? view : open.view(home);
        seen = open == null ? seen : open.model(home);
      }
    }
    List<byte[]> bounds = ScriptRanges.bounds(keys(words, at));
    options = options.withScan(bounds.size() % 3 == 0);
    ranges.put(
        number(words[1]),
        new ScriptRanges(
            home,
            view.cursor(ScriptRanges.ranges(bounds), options),
            bounds,
            inside(home, seen, CursorOptions.defaults(), filter)));
  }

  private static List<byte[]> keys(String[] words, int from) {
    return Arrays.stream(words).skip(from).map(StoreScript::key).toList();
  }

  private void closeRanges(int number) {
    ScriptRanges open = ranges.remove(number);
    if (open != null) {
      open.close();
    }
  }

  private void move(String[] words) throws IOException {
    OpenCursor open = cursors.get(number(words[1]));
    if (open == null) {
      return;
    }
    StoreCursor cursor = open.cursor;
    NavigableMap<byte[], byte[]> seen = open.model;
    byte[] at = open.at;
    switch (words[0]) {
      case "first" -> {
        cursor.first();
        at = seen.isEmpty() ? null : seen.firstKey();
      }
      case "last" -> {
        cursor.last();
        at = seen.isEmpty() ? null : seen.lastKey();
      }
      case "seek" -> {
        cursor.seek(key(words[2]));
        at = seen.ceilingKey(key(words[2]));
      }
      case "seekprev" -> {
        cursor.seekForPrev(key(words[2]));
        at = seen.floorKey(key(words[2]));
      }
      case "refresh" -> {
        if (open.home.isDropped) {
          assertThrows(IllegalStateException.class, cursor::refresh);
          at = null;
        } else if (open.ofStore) { // a snapshot may be closed
          cursor.refresh();
          seen.clear();
          seen.putAll(inside(open.home, open.home.model, open.bounds, open.filter));
          at = null;
        }
      }
      case "fill" -> at = fill(open, number(words[2]));
      default -> {
        boolean forward = words[0].equals("next");
        if (at == null) {
          assertThrows(IllegalStateException.class, forward ? cursor::next : cursor::previous);
        } else if (forward) {
          cursor.next();
          at = seen.higherKey(at);
        } else {
          cursor.previous();
          at = seen.lowerKey(at);
        }
      }
    }
    settle(open.home, cursor, !List.of("last", "seekprev", "previous").contains(words[0]));
    open.at = at;
    assertEquals(at != null, cursor.isValid());
    if (at != null) {
      assertArrayEquals(at, Fixtures.array(cursor.key()));
      assertArrayEquals(seen.get(at), Fixtures.array(cursor.value()));
    }
  }

  private byte[] fill(OpenCursor open, int recordsMax) throws IOException {
    RecordBatch batch = new RecordBatch(segment(new byte[BATCH_BYTES]), recordsMax);
    int count = open.cursor.fill(batch);
    byte[] at = open.at;
    long used = 0;
    for (int i = 0; i < count; i++) {
      if (open.home.isFiltered() && batch.valueBytes(i) == 0) {
        continue;
      }
      assertArrayEquals(at, Fixtures.array(batch.key(i)));
      assertArrayEquals(open.model.get(at), Fixtures.array(batch.value(i)));
      used += batch.keyBytes(i) + batch.valueBytes(i);
      at = open.model.higherKey(at);
    }
    assertTrue(
        at == null
            || open.home.isFiltered()
            || count == recordsMax
            || used + at.length + open.model.get(at).length > BATCH_BYTES,
        "a batch ends for a reason");
    return at;
  }

  // ---- changes

  private void changes(int number, long holdBytes) throws IOException {
    closeReader(number);
    ChangesOptions how =
        ChangesOptions.defaults().withDurability(Durability.BUFFERED).withHoldBytesMax(holdBytes);
    readers.put(
        number,
        new OpenChanges(
            store.changes(store.stats().sequence(), how, budget), holdBytes, history.size()));
  }

  private void closeReader(int number) {
    OpenChanges open = readers.remove(number);
    if (open != null) {
      open.changes.close();
    }
  }

  private void forgetReaders() {
    List.copyOf(readers.keySet()).forEach(this::closeReader);
  }

  private void follow(int number, int batchesMax) throws IOException {
    OpenChanges open = readers.get(number);
    if (open == null) {
      return;
    }
    try {
      boolean more = true;
      for (int i = 0; i < batchesMax && more; i++) {
        more = open.changes.next(new HistoryCheck(open));
      }
    } catch (LogTruncatedException e) {
      long behind = store.stats().sequence() - open.changes.sequence();
      assertTrue(behind > open.holdBytes, "behind=" + behind);
      closeReader(number);
    }
  }

  private void tail(int number, byte[] from) {
    OpenTail before = tails.remove(number);
    if (before != null) {
      before.cursor.close();
    }
    OpenTail open = new OpenTail(home, home.family.tail(CursorOptions.defaults()), from);
    open.cursor.seek(from);
    tails.put(number, open);
  }

  private void tailNext(int number, int count) throws IOException {
    OpenTail open = tails.get(number);
    for (int i = 0; open != null && i < count; i++) {
      byte[] expected = open.following();
      if (expected == null) {
        open.seen = inside(open.home, open.home.model, CursorOptions.defaults(), 0);
        expected = open.following();
      }
      boolean moved = open.cursor.next();
      while (moved && open.home.shown(Fixtures.array(open.cursor.value())) == null) {
        open.at = Fixtures.array(open.cursor.key()); // what comes before that later is not seen
        open.isBehind = true;
        moved = open.cursor.next();
      }
      assertEquals(expected != null, moved);
      if (expected != null) {
        assertArrayEquals(expected, Fixtures.array(open.cursor.key()));
        assertArrayEquals(open.seen.get(expected), Fixtures.array(open.cursor.value()));
        open.at = expected;
        open.isBehind = true;
      }
    }
  }

  /** The changes that a reader is given are those of the history. */
  private final class HistoryCheck implements StoreChanges.Consumer {
    private final OpenChanges open;

    /** The family that was named last in the batch. */
    private String family = Family.DEFAULT_NAME;

    HistoryCheck(OpenChanges open) {
      this.open = open;
    }

    @Override
    public void accept(long sequence, boolean delete, MemorySegment key, MemorySegment value) {
      Operation operation = next(key);
      assertTrue(!operation.isOperand && operation.endOrNull == null);
      assertEquals(operation.valueOrNull == null, delete);
      if (!delete) {
        assertArrayEquals(operation.valueOrNull, Fixtures.array(value));
      }
    }

    @Override
    public void acceptOperand(long sequence, MemorySegment key, MemorySegment operand) {
      Operation operation = next(key);
      assertTrue(operation.isOperand);
      assertArrayEquals(operation.valueOrNull, Fixtures.array(operand));
    }

    @Override
    public void acceptRangeDelete(long sequence, MemorySegment first, MemorySegment end) {
      assertArrayEquals(next(first).endOrNull, Fixtures.array(end));
    }

    @Override
    public void beginFamily(int id, String name) {
      family = name;
      assertEquals(store.family(name).orElseThrow().id(), id);
    }

    private Operation next(MemorySegment key) {
      while (history.get(open.at).home.isDropped || history.get(open.at).isIngested) {
        open.at++;
      }
      Operation operation = history.get(open.at++);
      assertEquals(Home.name(operation.home.number), family);
      assertArrayEquals(operation.key, Fixtures.array(key));
      return operation;
    }
  }

  // ---- life

  private void change(String word) {
    int equals = word.indexOf('=');
    String name = word.substring(0, equals);
    boolean isTtl = name.equals("store.ttl");
    if (isTtl && home.tree.ttl().isZero()) {
      return; // transactions and copies of it are checked as if nothing expired
    }
    if (word.equals("store.style=fifo") && !home.isFifo()) {
      return;
    }
    if (home.number > 0) {
      name = name.replace("store.", "store.family." + home.family.name() + ".");
    }
    store.change(Map.of(name, word.substring(equals + 1)));
    if (isTtl) {
      store.background().awaitExpiration();
      expire();
    }
  }

  private void compact(String[] words) throws IOException {
    if (words.length == 1) {
      home.family.compact();
    } else {
      home.family.compact(segment(key(words[1])), segment(key(words[2])));
    }
  }

  private void forget() {
    List.copyOf(transactions.keySet()).forEach(this::rollback);
    cursors.clear();
    ranges.clear();
    snapshots.clear();
    tails.clear();
    StoreStats stats = store.stats();
    flushes += stats.flushes();
    merges += stats.merges();
    mergesWithinLevel0 += stats.levels().getFirst().compactions();
    misses += stats.read().blockMisses();
    valueFiles += store.parts().tables.manifest().values().size();
  }

  /** Cursors and snapshots with even numbers are left open: closing the store ends them. */
  private void reopen() throws IOException {
    List.copyOf(cursors.keySet()).stream().filter(n -> n % 2 == 1).forEach(this::closeCursor);
    List.copyOf(ranges.keySet()).stream().filter(n -> n % 2 == 1).forEach(this::closeRanges);
    List.copyOf(snapshots.keySet()).stream().filter(n -> n % 2 == 1).forEach(this::closeSnapshot);
    forget();
    store.close();
    forgetReaders();
    store = open();
    takeHandles();
    watchDrops();
    durable = history.size();
    written = history.size();
    assertTrue(store.stats().sequence() >= ends.lastKey());
    expire();
  }

  private void crash(int seed) throws IOException {
    forget();
    closeReplica();
    SimEngine after = engine.crash(seed);
    store.close();
    forgetReaders();
    engine = after;
    store = open();
    takeHandles();
    // Where a write ended, or an empty block behind it; marks of an archive follow.
    long recovered = store.parts().log.recovery().endLsn();
    long survived = ends.floorEntry(recovered).getValue();
    assertTrue(survived >= durable, "survived=" + survived + " durable=" + durable);
    history.subList((int) survived, history.size()).clear();
    ends.values().removeIf(end -> end > survived);
    durable = survived;
    written = survived;
    homes.values().forEach(there -> there.model = new TreeMap<>(Fixtures.ORDER));
    homes.values().forEach(there -> there.model = model(there, 0, history.size()));
    expire();
    watchDrops();
    check();
  }

  /** Follows the store, and checks that what is shown is all up to some operation. */
  private void replica() throws IOException {
    long before = replica == null ? 0 : replica.sequence();
    if (replica == null) {
      replica = Store.openReadOnly(Fixtures.DIRECTORY, options, engine, clock::get);
    } else {
      assertEquals(replica.refresh(), replica.sequence());
    }
    assertTrue(replica.sequence() >= before);
    int shown = ends.floorEntry(replica.sequence()).getValue().intValue();
    assertTrue(shown >= written, "shown=" + shown + " written=" + written);
    assertEquals(
        store.families().stream().map(Family::id).toList(),
        replica.families().stream().map(ReadOnlyFamily::id).toList());
    for (Home there : homes.values()) {
      NavigableMap<byte[], byte[]> model = there.model;
      ReadOnlyFamily view = replica.family(Home.name(there.number)).orElseThrow();
      try {
        there.model = new TreeMap<>(Fixtures.ORDER);
        for (int i = 0; i < shown; i++) {
          if (there.has(history.get(i), i)) {
            history.get(i).applyTo(there.model);
          }
        }
        int unused = expire(there, view.expiryFloor(), shown);
        check(there, view);
      } finally {
        there.model = model;
      }
    }
  }

  private void closeReplica() throws IOException {
    if (replica != null) {
      replica.close();
      replica = null;
    }
  }

  /** Makes a copy of the store, or a backup that is restored, and checks that. */
  private void copy(boolean byBackup) throws IOException {
    boolean isArchived = options.archiveOrNull() != null;
    Path copy = Path.of("/copies/" + copies++);
    if (byBackup) {
      try (Backups backups = Backups.open(BACKUPS, engine)) {
        long number = backups.create(store, _ -> {}).number();
        if (isArchived) {
          restoreFirst(backups, number == 1);
        }
        backups.restore(number, copy, _ -> {});
      }
    } else {
      long sequence = store.checkpoint(copy);
      // Marks are not in tables.
      assertTrue(
          isArchived ? sequence <= store.stats().sequence() : sequence == store.stats().sequence());
    }
    check(copy);
  }

  /** Restores the first backup up to what was written last. */
  private void restoreFirst(Backups backups, boolean isNew) throws IOException {
    hasIngested &= !isNew;
    Path copy = Path.of("/copies/" + copies++);
    try {
      Backups.Restored unused =
          backups.restore(
              PointInTime.ofSequence(store.archiveLog()).from(1),
              copy,
              hasFifo ? opening() : options,
              _ -> {});
    } catch (UnreachablePointException e) {
      assertTrue(hasIngested && e.getMessage().contains("tables were ingested"), e.getMessage());
      return;
    }
    check(copy);
  }

  /** Checks a copy of the store, and removes it. */
  private void check(Path copy) throws IOException {
    StoreOptions opening = (hasFifo ? opening() : options).withArchive(null);
    Store own = store;
    try (Store other = Store.open(copy, opening, engine, clock::get)) {
      store = other;
      takeHandles();
      for (Home there : homes.values()) {
        // Else more may have expired, or gone with the flush that a copy begins with.
        if (there.tree.ttl().isZero() && !there.isFifo()) {
          check(there);
        }
      }
    } finally {
      store = own;
      takeHandles();
    }
    remove(copy);
  }

  private void remove(Path path) throws IOException {
    for (Path entry : isFile(path) ? List.<Path>of() : engine.list(path)) {
      remove(entry);
    }
    engine.delete(path);
  }

  private boolean isFile(Path path) throws IOException {
    try (IoFile _ = engine.open(path, OpenMode.READ_ONLY)) {
      return true;
    } catch (StorageException e) {
      return false;
    }
  }

  private void check() throws IOException {
    for (Home there : homes.values()) {
      check(there);
    }
  }

  private void check(Home there) throws IOException {
    check(there, there.family);
  }

  private void check(Home there, ReadView view) throws IOException {
    try (StoreCursor cursor = view.cursor()) {
      NavigableMap<byte[], byte[]> expected =
          inside(there, there.model, CursorOptions.defaults(), 0);
      cursor.first();
      settle(there, cursor, true);
      for (Map.Entry<byte[], byte[]> entry : expected.entrySet()) {
        assertTrue(cursor.isValid());
        assertArrayEquals(entry.getKey(), Fixtures.array(cursor.key()));
        assertArrayEquals(entry.getValue(), Fixtures.array(cursor.value()));
        assertArrayEquals(entry.getValue(), view.get(entry.getKey()));
        cursor.next();
        settle(there, cursor, true);
      }
      assertEquals(false, cursor.isValid());
      cursor.last();
      settle(there, cursor, false);
      for (byte[] key : expected.descendingKeySet()) {
        assertArrayEquals(key, Fixtures.array(cursor.key()));
        cursor.previous();
        settle(there, cursor, false);
      }
      assertEquals(false, cursor.isValid());
    }
  }
}
