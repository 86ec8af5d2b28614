package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.unchecked.Memory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Runs a few actors in every order of their accesses to what they share, one at a time, but for
 * orders with more than so many preemptions: switches away from an actor that could go on. Most
 * mistakes need one or two.
 *
 * <p>The code of the actors is the real one, loaded by {@link InterleavedLoader}: its accesses to
 * memory come here first. Only before accesses to places that one actor writes and another one uses
 * does it matter who is next; these places are found out on the way. What processors and compilers
 * may reorder in addition is not tried.
 */
public final class Interleaver {
  /** What one run is made of; each run takes a new one. */
  public interface Scene {
    /** What is done side by side. */
    List<Runnable> actors();

    /** Looks at what is there when all have ended. */
    void check();
  }

  /** Makes scenes; closed when there are to be no more. */
  public interface Scenes extends AutoCloseable {
    /** A new scene of this name. */
    Scene scene(String name);

    @Override
    void close();
  }

  /** So many accesses of a run are more than any that gets on. */
  private static final int STEPS_MAX = 100_000;

  private static volatile Interleaver current;

  /** If it is set, a comparison before an exchange finds what it expects, and each lock is free. */
  private static volatile boolean blindExchange;

  private final int preemptionsMax;
  private final Set<Long> shared = new HashSet<>();
  private List<Integer> prefix = new ArrayList<>();

  // Of the present run; whoever has the turn may use it.
  private final Map<Long, int[]> users = new HashMap<>();
  private final List<Integer> choices = new ArrayList<>();
  private final List<Integer> widths = new ArrayList<>();
  private final Semaphore end = new Semaphore(0);
  private Semaphore[] turns;
  private boolean[] ended;
  private boolean[] waiting;
  private boolean[] asleep;
  private int[] writesSeen;
  private int[] options;
  private int running;
  private int preemptions;
  private int steps;
  private int writes;
  private int signals;
  private boolean locked;
  private boolean grown;
  private Throwable failure;

  private Interleaver(int preemptionsMax) {
    this.preemptionsMax = preemptionsMax;
  }

  /** Runs scenes in all orders. Returns how many there were. */
  public static int explore(int preemptionsMax, Supplier<? extends Scene> scenes)
      throws InterruptedException {
    return new Interleaver(preemptionsMax).explore(scenes);
  }

  /**
   * The same with a mistake: a comparison before an exchange finds what it expects, and each lock
   * is free.
   */
  public static int exploreBlind(int preemptionsMax, Supplier<? extends Scene> scenes)
      throws InterruptedException {
    blindExchange = true;
    try {
      return explore(preemptionsMax, scenes);
    } finally {
      blindExchange = false;
    }
  }

  /** Each run follows a prefix, then stays with whom it can; then the last choice changes. */
  private int explore(Supplier<? extends Scene> scenes) throws InterruptedException {
    int runs = 0;
    while (true) {
      run(scenes.get());
      runs++;
      if (grown) {
        prefix = new ArrayList<>(); // more places to switch at: all anew
        runs = 0;
        continue;
      }
      int last = widths.size() - 1;
      while (last >= 0 && choices.get(last) + 1 == widths.get(last)) {
        last--;
      }
      if (last < 0) {
        return runs;
      }
      prefix = new ArrayList<>(choices.subList(0, last + 1));
      prefix.set(last, prefix.get(last) + 1);
    }
  }

  private void run(Scene scene) throws InterruptedException {
    List<Runnable> actors = scene.actors();
    users.clear();
    choices.clear();
    widths.clear();
    turns = new Semaphore[actors.size()];
    ended = new boolean[actors.size()];
    waiting = new boolean[actors.size()];
    asleep = new boolean[actors.size()];
    locked = false;
    writesSeen = new int[actors.size()];
    options = new int[actors.size()];
    preemptions = 0;
    steps = 0;
    writes = 1;
    grown = false;
    current = this;
    for (int i = 0; i < turns.length; i++) {
      int actor = i;
      turns[i] = new Semaphore(0);
      Thread unused = Thread.startVirtualThread(() -> act(actor, actors.get(actor)));
    }
    running = 0;
    try {
      goOn(false);
      end.acquire();
    } finally {
      current = null;
    }
    try {
      if (failure == null) {
        scene.check();
      }
    } catch (AssertionError e) {
      failure = e;
    }
    if (failure != null) {
      throw new AssertionError("choices=" + choices, failure);
    }
  }

  private void act(int actor, Runnable body) {
    turns[actor].acquireUninterruptibly();
    try {
      body.run();
      ended[actor] = true;
      goOn(false);
    } catch (Throwable e) {
      fail(e);
    }
  }

  private void fail(Throwable e) {
    failure = e;
    end.release();
  }

  /** Chooses who is next. Returns when it is the turn of who calls. */
  private void goOn(boolean mayStay) {
    int count = 0;
    if (mayStay) {
      options[count++] = running;
    }
    boolean all = true;
    for (int i = 0; i < ended.length; i++) {
      all &= ended[i];
      boolean able = !ended[i] && !waiting[i] && !asleep[i] && !(mayStay && i == running);
      if (able && (!mayStay || preemptions < preemptionsMax)) {
        options[count++] = i;
      }
    }
    if (all) {
      end.release();
      return;
    }
    assertTrue(count > 0, "all wait");
    int choice = 0;
    if (count > 1) {
      // A run that found more places to switch at may have fewer to choose from here; it does not
      // count.
      choice = choices.size() < prefix.size() ? Math.min(prefix.get(choices.size()), count - 1) : 0;
      choices.add(choice);
      widths.add(count);
    }
    preemptions += mayStay && choice > 0 ? 1 : 0;
    int from = running;
    running = options[choice];
    // Looked at before another one has the turn, who may bring this run to its end.
    boolean waits = steps > 0 && !ended[from];
    Semaphore own = turns[from];
    if (!waits || running != from) {
      turns[running].release();
      if (waits) {
        own.acquireUninterruptibly();
      }
    }
  }

  private void awakeOthers() {
    for (int i = 0; i < waiting.length; i++) {
      waiting[i] &= i == running;
    }
  }

  private void step(long place, boolean write) {
    steps++;
    assertTrue(steps < STEPS_MAX, "nobody gets on");
    int[] usedBy = users.computeIfAbsent(place, _ -> new int[2]);
    usedBy[0] |= 1 << running;
    usedBy[1] |= write ? 1 << running : 0;
    boolean isShared = usedBy[1] != 0 && Integer.bitCount(usedBy[0]) > 1;
    grown |= isShared && shared.add(place);
    if (shared.contains(place)) {
      goOn(true);
    }
    if (write) {
      writes++;
      awakeOthers();
    }
  }

  private static void access(long place, boolean write) {
    Interleaver interleaver = current;
    if (interleaver != null) {
      interleaver.step(place, write);
    }
  }

  // ---- where the code of the actors comes

  /** A place that is no address. */
  private static final long FIELD = -1;

  /** Before a field is read. */
  public static void getField() {
    access(FIELD, false);
  }

  /** Before a field is written. */
  public static void putField() {
    access(FIELD, true);
  }

  /** Instead of a spin: waits for a write, unless there was one since the last time. */
  public static void pause() {
    Interleaver interleaver = current;
    if (interleaver != null) {
      interleaver.waitForWrite();
    }
  }

  private void waitForWrite() {
    steps++;
    if (writesSeen[running] == writes) {
      waiting[running] = true;
      goOn(false);
    }
    writesSeen[running] = writes;
  }

  /** Takes the lock, of which there is one. */
  public static void lock() {
    access(FIELD, true);
    Interleaver interleaver = current;
    while (interleaver != null && interleaver.locked && !blindExchange) {
      interleaver.waitForWrite();
    }
    if (interleaver != null) {
      interleaver.locked = true;
    }
  }

  /** Lets go of the lock. */
  public static void unlock() {
    access(FIELD, true);
    Interleaver interleaver = current;
    if (interleaver != null) {
      interleaver.locked = false;
    }
  }

  /** Wakes up who waits for a condition, to look again. */
  public static void signal() {
    access(FIELD, true);
    Interleaver interleaver = current;
    if (interleaver != null) {
      interleaver.signals++;
      Arrays.fill(interleaver.asleep, false);
    }
  }

  /** Waits for a condition, which is looked at when there is a signal. */
  public static void await(BooleanSupplier condition) {
    Interleaver interleaver = current;
    int seen = interleaver.signals;
    while (!condition.getAsBoolean()) {
      if (interleaver.signals == seen) {
        interleaver.asleep[interleaver.running] = true;
        interleaver.goOn(false);
      }
      seen = interleaver.signals;
    }
  }

  /** As the method of {@link Memory}, as are all that follow. */
  public static int getInt(long address) {
    access(address, false);
    return Memory.getInt(address);
  }

  /** As there. */
  public static int getIntAcquire(long address) {
    return getInt(address);
  }

  /** As there. */
  public static void putInt(long address, int value) {
    access(address, true);
    Memory.putInt(address, value);
  }

  /** As there. */
  public static void putIntRelease(long address, int value) {
    putInt(address, value);
  }

  /** As there. */
  public static long getLong(long address) {
    access(address, false);
    return Memory.getLong(address);
  }

  /** As there. */
  public static long getLongAcquire(long address) {
    return getLong(address);
  }

  /** As there. */
  public static void putLong(long address, long value) {
    access(address, true);
    Memory.putLong(address, value);
  }

  /** As there. */
  public static void putLongRelease(long address, long value) {
    putLong(address, value);
  }

  /** As there. */
  public static boolean compareAndSetLong(long address, long expected, long value) {
    access(address, true);
    boolean equal = blindExchange || Memory.getLong(address) == expected;
    if (equal) {
      Memory.putLong(address, value);
    }
    return equal;
  }
}
