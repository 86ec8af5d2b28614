package io.ewok.gds.lsm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What transactions did to lists, each appended to and read as a whole, and what is wrong with
 * that. No element is appended twice, so a list that was read tells who wrote before whom: from
 * that follow the dependencies between transactions, whatever the store did to order them, and a
 * cycle of these is an anomaly.
 *
 * <p>Source: K. Kingsbury and P. Alvaro, "Elle: Inferring Isolation Anomalies from Experimental
 * Observations", VLDB 14 (2020); the names of anomalies are those of A. Adya, "Weak Consistency",
 * MIT 1999.
 *
 * <p>Threads: any adds transactions; one checks.
 */
public final class ListHistory {
  /** What there can be. */
  public enum Anomaly {
    /** A transaction does not read what it has appended itself. */
    INTERNAL,
    /** Two lists of a key that were read are no beginnings of each other. */
    INCOMPATIBLE,
    /** An element is in a list twice, or was never appended. */
    FOREIGN,
    /** What was acknowledged is not there in the end, or a transaction is there in part. */
    LOST,
    /** What was rolled back was read. */
    G1A,
    /** What a transaction has overwritten itself was read. */
    G1B,
    /** A cycle of writes. */
    G0,
    /** A cycle of writes and reads of what was written. */
    G1C,
    /** A cycle in which one transaction has not seen what another one overwrote. */
    G_SINGLE,
    /** A cycle with several of these, such as write skew. */
    G2
  }

  /** How a transaction has ended. */
  public enum Status {
    /** Nobody was told: it may be there or not, as a whole. */
    OPEN,
    COMMITTED,
    ROLLED_BACK
  }

  /** An append, if the list is null, or else a read. */
  private record Operation(int key, int element, List<Integer> listOrNull) {}

  /** One transaction, whose thread adds to it until it has ended. */
  public static final class Entry {
    private final List<Operation> operations = new CopyOnWriteArrayList<>();
    private volatile Status status = Status.OPEN;
    private volatile boolean durable;

    public Entry append(int key, int element) {
      operations.add(new Operation(key, element, null));
      return this;
    }

    public Entry read(int key, List<Integer> list) {
      operations.add(new Operation(key, 0, List.copyOf(list)));
      return this;
    }

    public Entry read(int key, Integer... list) {
      return read(key, Arrays.asList(list));
    }

    public Entry end(Status how, boolean isDurable) {
      durable = isDurable;
      status = how;
      return this;
    }

    private boolean appends() {
      return operations.stream().anyMatch(each -> each.listOrNull() == null);
    }
  }

  private static final int DETAIL_LENGTH_MAX = 600;

  private final List<Entry> entries = new ArrayList<>();

  // Of a check.
  private final Map<Integer, Integer> writerOf = new HashMap<>();
  private final Map<Integer, List<Integer>> orders = new HashMap<>();
  private final Set<Anomaly> found = EnumSet.noneOf(Anomaly.class);
  private final List<String> details = new ArrayList<>();

  /** Begins a transaction. */
  public synchronized Entry begin() {
    Entry entry = new Entry();
    entries.add(entry);
    return entry;
  }

  /** Those that are durable, as somebody was told. */
  public synchronized Set<Entry> durable() {
    Set<Entry> durable = new HashSet<>();
    for (Entry entry : entries) {
      if (entry.durable) {
        durable.add(entry);
      }
    }
    return durable;
  }

  /**
   * Copies the part of the history that has survived a crash.
   *
   * @param lists what is there afterwards
   * @param durable must have survived
   */
  public synchronized void copySurvivors(
      Map<Integer, List<Integer>> lists, Set<Entry> durable, ListHistory to) {
    for (Entry entry : entries) {
      boolean isThere =
          entry.operations.stream()
              .anyMatch(
                  each ->
                      each.listOrNull() == null
                          && lists.getOrDefault(each.key(), List.of()).contains(each.element()));
      // One that has only read may have read what is gone.
      if (isThere || (durable.contains(entry) && entry.appends())) {
        Entry copy = to.begin();
        copy.operations.addAll(entry.operations);
        copy.end(Status.COMMITTED, durable.contains(entry));
      }
    }
  }

  /** What was wrong, for people. */
  public String details() {
    return String.join("; ", details);
  }

  private void add(Anomaly anomaly, String detail) {
    found.add(anomaly);
    if (details.size() < 10) {
      details.add(
          anomaly + ": " + detail.substring(0, Math.min(detail.length(), DETAIL_LENGTH_MAX)));
    }
  }

  /**
   * Finds all kinds of anomalies.
   *
   * @param last what is in the lists in the end
   */
  public synchronized Set<Anomaly> check(Map<Integer, List<Integer>> last) {
    writerOf.clear();
    orders.clear();
    found.clear();
    details.clear();
    for (int i = 0; i < entries.size(); i++) {
      for (Operation each : entries.get(i).operations) {
        if (each.listOrNull() == null) {
          writerOf.put(each.element(), i);
        }
      }
    }
    last.forEach(this::checkOrder);
    for (Entry entry : entries) {
      if (entry.status == Status.COMMITTED) {
        checkReads(entry);
      }
    }
    for (Entry entry : entries) {
      checkWhole(entry, last);
    }
    checkCycles();
    return found;
  }

  private void checkOrder(int key, List<Integer> list) {
    Set<Integer> seen = new HashSet<>();
    for (int element : list) {
      Integer writer = writerOf.get(element);
      if (!seen.add(element) || writer == null) {
        add(Anomaly.FOREIGN, "key %d has %d in %s".formatted(key, element, list));
      } else if (entries.get(writer).status == Status.ROLLED_BACK) {
        add(Anomaly.G1A, "key %d has %d".formatted(key, element));
      }
    }
    orders.put(key, list);
  }

  /** A list that was read is the beginning of the last one, and what the transaction has added. */
  private void checkReads(Entry entry) {
    Map<Integer, List<Integer>> own = new HashMap<>();
    Map<Integer, List<Integer>> before = new HashMap<>();
    for (Operation each : entry.operations) {
      List<Integer> added = own.computeIfAbsent(each.key(), _ -> new ArrayList<>());
      if (each.listOrNull() == null) {
        added.add(each.element());
        continue;
      }
      List<Integer> list = each.listOrNull();
      int base = list.size() - added.size();
      if (base < 0 || !list.subList(base, list.size()).equals(added)) {
        add(Anomaly.INTERNAL, "key %d after %s is %s".formatted(each.key(), added, list));
        continue;
      }
      List<Integer> others = list.subList(0, base);
      List<Integer> sooner = before.putIfAbsent(each.key(), others);
      if (sooner != null && !sooner.equals(others)) {
        add(Anomaly.INTERNAL, "key %d is %s, then %s".formatted(each.key(), sooner, others));
      }
      List<Integer> order = orders.getOrDefault(each.key(), List.of());
      if (base > order.size() || !order.subList(0, base).equals(others)) {
        add(Anomaly.INCOMPATIBLE, "key %d is %s, and %s".formatted(each.key(), others, order));
      }
      checkRead(entry, each.key(), others);
    }
  }

  private void checkRead(Entry reader, int key, List<Integer> list) {
    for (int element : list) {
      Integer writer = writerOf.get(element);
      if (writer == null || entries.get(writer).status == Status.ROLLED_BACK) {
        add(Anomaly.G1A, "key %d was read with %d".formatted(key, element));
      }
    }
    if (!list.isEmpty()) {
      int seen = list.getLast();
      Integer writer = writerOf.get(seen);
      if (writer != null && entries.get(writer) != reader) {
        int lastOfWriter = 0;
        for (Operation each : entries.get(writer).operations) {
          if (each.listOrNull() == null && each.key() == key) {
            lastOfWriter = each.element();
          }
        }
        if (lastOfWriter != seen) {
          add(Anomaly.G1B, "key %d was read up to %d".formatted(key, seen));
        }
      }
    }
  }

  private void checkWhole(Entry entry, Map<Integer, List<Integer>> last) {
    int appended = 0;
    int there = 0;
    for (Operation each : entry.operations) {
      if (each.listOrNull() == null) {
        appended++;
        there += last.getOrDefault(each.key(), List.of()).contains(each.element()) ? 1 : 0;
      }
    }
    boolean wanted = entry.status == Status.COMMITTED;
    if ((wanted && there < appended) || (there > 0 && there < appended)) {
      add(
          Anomaly.LOST,
          "%d of %d elements are there: %s %s"
              .formatted(there, appended, entry.status, entry.operations));
    }
  }

  // ---- dependencies

  private static final int WW = 0;
  private static final int WR = 1;
  private static final int RW = 2;

  /** Of each kind: who comes after a transaction. */
  private List<List<Set<Integer>>> edges() {
    List<List<Set<Integer>>> edges = new ArrayList<>();
    for (int kind = WW; kind <= RW; kind++) {
      List<Set<Integer>> of = new ArrayList<>();
      entries.forEach(_ -> of.add(new TreeSet<>()));
      edges.add(of);
    }
    orders.forEach(
        (_, order) -> {
          for (int i = 1; i < order.size(); i++) {
            link(edges.get(WW), writerOf.get(order.get(i - 1)), writerOf.get(order.get(i)));
          }
        });
    for (int reader = 0; reader < entries.size(); reader++) {
      if (entries.get(reader).status == Status.COMMITTED) {
        addReads(reader, edges);
      }
    }
    return edges;
  }

  private void addReads(int reader, List<List<Set<Integer>>> edges) {
    Set<Integer> written = new HashSet<>();
    for (Operation each : entries.get(reader).operations) {
      if (each.listOrNull() == null) {
        written.add(each.key());
      } else if (!written.contains(each.key())) { // else the end of it is its own
        List<Integer> order = orders.getOrDefault(each.key(), List.of());
        int size = each.listOrNull().size();
        if (size > 0) {
          link(edges.get(WR), writerOf.get(each.listOrNull().getLast()), reader);
        }
        if (size < order.size()) {
          link(edges.get(RW), reader, writerOf.get(order.get(size)));
        }
      }
    }
  }

  private static void link(List<Set<Integer>> edges, Integer from, Integer to) {
    if (from != null && to != null && !from.equals(to)) {
      edges.get(from).add(to);
    }
  }

  private void checkCycles() {
    List<List<Set<Integer>>> edges = edges();
    List<Set<Integer>> writes = edges.get(WW);
    List<Set<Integer>> flow = union(writes, edges.get(WR));
    List<Set<Integer>> all = union(flow, edges.get(RW));
    int[] component = components(all);
    boolean isCyclic = false;
    for (int from = 0; from < entries.size(); from++) {
      for (int to : all.get(from)) {
        isCyclic |= component[from] == component[to];
      }
    }
    if (!isCyclic) {
      return;
    }
    int[] ofWrites = components(writes);
    int[] ofFlow = components(flow);
    boolean simpler = false;
    for (int from = 0; from < entries.size(); from++) {
      for (int to : writes.get(from)) {
        simpler |= cycle(Anomaly.G0, ofWrites, from, to);
      }
      for (int to : flow.get(from)) {
        simpler |= cycle(Anomaly.G1C, ofFlow, from, to);
      }
      for (int to : edges.get(RW).get(from)) {
        if (component[from] == component[to] && reaches(flow, to, from)) {
          simpler = true;
          add(Anomaly.G_SINGLE, named(from) + " before " + named(to));
        }
      }
    }
    if (!simpler) {
      for (int from = 0; from < entries.size(); from++) {
        for (int to : edges.get(RW).get(from)) {
          boolean unused = cycle(Anomaly.G2, component, from, to);
        }
      }
    }
  }

  private boolean cycle(Anomaly anomaly, int[] component, int from, int to) {
    if (component[from] != component[to]) {
      return false;
    }
    add(anomaly, named(from) + " before " + named(to));
    return true;
  }

  private String named(int number) {
    return "T%d%s".formatted(number, entries.get(number).operations);
  }

  private static List<Set<Integer>> union(List<Set<Integer>> a, List<Set<Integer>> b) {
    List<Set<Integer>> both = new ArrayList<>();
    for (int i = 0; i < a.size(); i++) {
      Set<Integer> to = new TreeSet<>(a.get(i));
      to.addAll(b.get(i));
      both.add(to);
    }
    return both;
  }

  private static boolean reaches(List<Set<Integer>> edges, int from, int to) {
    Set<Integer> seen = new HashSet<>(Set.of(from));
    List<Integer> left = new ArrayList<>(List.of(from));
    while (!left.isEmpty()) {
      int at = left.removeLast();
      if (at == to) {
        return true;
      }
      for (int next : edges.get(at)) {
        if (seen.add(next)) {
          left.add(next);
        }
      }
    }
    return false;
  }

  /**
   * Which strongly connected component each belongs to: S. R. Kosaraju's two passes, without
   * recursion.
   */
  private static int[] components(List<Set<Integer>> edges) {
    int count = edges.size();
    List<Set<Integer>> back = new ArrayList<>();
    edges.forEach(_ -> back.add(new TreeSet<>()));
    for (int from = 0; from < count; from++) {
      for (int to : edges.get(from)) {
        back.get(to).add(from);
      }
    }
    List<Integer> order = new ArrayList<>();
    boolean[] seen = new boolean[count];
    for (int i = 0; i < count; i++) {
      List<Integer> stack = new ArrayList<>();
      push(stack, seen, i);
      while (!stack.isEmpty()) {
        int at = stack.getLast();
        Integer next = edges.get(at).stream().filter(to -> !seen[to]).findFirst().orElse(null);
        if (next != null) {
          push(stack, seen, next);
        } else {
          order.add(stack.removeLast());
        }
      }
    }
    int[] component = new int[count];
    Arrays.fill(component, -1);
    for (int root : order.reversed()) {
      List<Integer> left = new ArrayList<>(List.of(root));
      while (!left.isEmpty()) {
        int at = left.removeLast();
        if (component[at] < 0) {
          component[at] = root;
          left.addAll(back.get(at).stream().filter(from -> component[from] < 0).toList());
        }
      }
    }
    return component;
  }

  private static void push(List<Integer> stack, boolean[] seen, int number) {
    if (!seen[number]) {
      seen[number] = true;
      stack.add(number);
    }
  }
}
