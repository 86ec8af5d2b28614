package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsProcess.nobody;
import static io.ewok.gds.cli.GdsProcess.shell;
import static io.ewok.gds.cli.GdsRun.gds;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The command where a machine has less than one wishes: a full disk, little memory, little memory
 * that may be locked, no io_uring. What only root can make is left out for others.
 */
class EdgesTest {
  private static final String RUNNER = "gds.test.vm";
  private static final int RECORDS = 40_000;
  private static final String SMALL = "--memory=12M";

  /**
   * Forbids what is of io_uring, by numbers of system calls that are the same everywhere, as
   * containers do: a filter of seccomp that says EPERM.
   */
  private static final String NO_URING =
      """
      sub i { $code .= pack("SCCL", @_) }
      i(0x20, 0, 0, 0);
      i(0x15, 2, 0, 425);
      i(0x15, 1, 0, 426);
      i(0x15, 0, 1, 427);
      i(0x06, 0, 0, 0x00050001);
      i(0x06, 0, 0, 0x7fff0000);
      $filter = pack("S x6 P", length($code) / 8, $code);
      syscall(157, 38, 1, 0, 0, 0) == 0 or die "privileges: $!";
      syscall(157, 22, 2, unpack("Q", pack("P", $filter)), 0, 0) == 0 or die "filter: $!";
      exec @ARGV;
      """;

  @TempDir private Path temp;

  private static void assumeRoot() {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can make it");
  }

  private Path input() throws IOException {
    return Files.writeString(
        temp.resolve("input.tsv"),
        IntStream.range(0, RECORDS)
            .mapToObj(i -> "%06d\t%s\n".formatted(i, "v".repeat(100)))
            .collect(Collectors.joining()));
  }

  /** Mounts a disk of 24 MiB, which the caller unmounts. */
  private Path smallDisk() throws Exception {
    assumeRoot();
    Path disk = Files.createDirectory(temp.resolve("disk"));
    GdsProcess mounted = shell(temp, "mount -t tmpfs -o size=24m none $1", disk);
    assumeTrue(mounted.status() == 0, mounted.err());
    return disk;
  }

  /** Fills a disk to its last byte. */
  private void fill(Path hog) throws Exception {
    GdsProcess filled = shell(temp, "cat /dev/zero > $1", hog);
    assertTrue(filled.err().contains("No space left"), filled.err());
  }

  @Test
  void fullDiskIsReadAndGoesOnWhenThereIsRoom() throws Exception {
    Path disk = smallDisk();
    try {
      Path store = disk.resolve("store");
      Path hog = disk.resolve("hog");
      gds("put", store, "key", "value", SMALL).ok();
      // While it is loaded: some has been stored, and the rest is refused.
      fill(hog);
      shell(temp, "truncate -s -256K $1", hog).quiet(0);
      Path in = input();
      GdsProcess load = shell(temp, "$GDS load $1 $2 --memory 12M", store, in);
      assertEquals(ExitStatus.FAILED, load.status(), load.err());
      assertTrue(load.err().contains("No space left on device: errno=ENOSPC"), load.err());
      assertTrue(load.err().contains("records stored before the failure: "), load.err());
      assertFalse(load.err().contains("Exception"), load.err());
      // Those who read need no room.
      fill(hog);
      GdsProcess get = shell(temp, "$GDS get $1 key --memory 12M", store);
      assertEquals("value\n", get.out(), get.err());
      assertTrue(get.err().contains("no space is left there"), get.err());
      assertEquals(ExitStatus.OK, get.status());
      for (List<Object> words :
          List.<List<Object>>of(
              List.of("verify", store, SMALL),
              List.of("stats", store, SMALL),
              List.of("explain", store, "key", SMALL),
              List.of("dump", store, "--format", "tsv", SMALL))) {
        GdsRun run = gds(words.toArray());
        assertEquals(ExitStatus.OK, run.status(), words + run.err());
      }
      String put = shell(temp, "$GDS put $1 a b --memory 12M", store).failure(ExitStatus.FAILED);
      assertTrue(put.contains("No space left on device: errno=ENOSPC"), put);
      Files.delete(hog);
      GdsProcess again = shell(temp, "$GDS load $1 $2 --memory 12M", store, in);
      assertEquals(ExitStatus.OK, again.status(), again.err());
      assertEquals(RECORDS + 1, gds("scan", store, SMALL).ok().lines().count());
      assertTrue(gds("verify", store, SMALL).ok().contains("0 problems"));
    } finally {
      shell(temp, "umount $1", disk).quiet(0);
    }
  }

  /** With nobody's help: what is deleted makes the room. */
  @Test
  void fullDiskIsEmptiedWithTheReserve() throws Exception {
    Path disk = smallDisk();
    try {
      Path store = disk.resolve("store");
      Object[] reserve = {SMALL, "--set", "store.reserve=8M"};
      gds(words(reserve, "put", store, "key", "value")).ok();
      SplittableRandom random = new SplittableRandom(7); // Nothing that could be compressed.
      Path in =
          Files.writeString(
              temp.resolve("input.tsv"),
              IntStream.range(0, 250_000)
                  .mapToObj(i -> "%06d\t%016x".formatted(i, random.nextLong()))
                  .map(line -> line + "%016x".formatted(random.nextLong()).repeat(4) + "\n")
                  .collect(Collectors.joining()));
      GdsRun load = gds(words(reserve, "load", store, in));
      assertEquals(ExitStatus.FAILED, load.status(), load.err());
      assertTrue(load.err().contains("deletes alone are taken: reserveBytes=8388608"), load.err());
      long stored = gds(words(reserve, "scan", store)).ok().lines().count();
      assertTrue(stored > 10_000, "stored: " + stored);
      gds(words(reserve, "delete", store, "--range", "0", "9")).ok();
      gds(words(reserve, "compact", store)).ok();
      gds(words(reserve, "put", store, "a", "b")).ok();
      assertEquals("a\tb\nkey\tvalue\n", gds(words(reserve, "scan", store)).ok());
    } finally {
      shell(temp, "umount $1", disk).quiet(0);
    }
  }

  private static Object[] words(Object[] more, Object... first) {
    return Stream.of(first, more).flatMap(Stream::of).toArray();
  }

  /** Who has the store open need not open it anew. */
  @Test
  void openStoreGoesOnWhenThereIsRoom() throws Exception {
    Path disk = smallDisk();
    Path hog = disk.resolve("hog");
    byte[] value = new byte[1 << 10];
    int acknowledged = 0;
    try (Store store = Store.open(disk.resolve("store"), StoreSizes.within(12 << 20))) {
      store.put(key(0), value, Durability.SYNCED);
      fill(hog);
      String refusal = "";
      while (refusal.isEmpty()) {
        try {
          store.put(key(acknowledged + 1), value, Durability.SYNCED);
          acknowledged++;
        } catch (IOException e) {
          refusal = Failures.message(e);
        }
      }
      assertTrue(refusal.contains("errno=ENOSPC"), refusal);
      assertEquals(1 << 10, store.get(key(acknowledged)).length);
      Files.delete(hog);
      store.put(key(acknowledged + 1), value, Durability.SYNCED);
      store.flush();
      for (int i = 0; i <= acknowledged + 1; i++) {
        assertEquals(1 << 10, store.get(key(i)).length);
      }
    } finally {
      shell(temp, "umount $1", disk).quiet(0);
    }
  }

  private static byte[] key(int number) {
    return "%08d".formatted(number).getBytes(UTF_8);
  }

  @Test
  void percentagesAreOfTheControlGroup() throws Exception {
    assumeRoot();
    boolean isOne = Files.exists(Path.of("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    Path group =
        Path.of(isOne ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup", "gds-" + UUID.randomUUID());
    Path limit = group.resolve(isOne ? "memory.limit_in_bytes" : "memory.max");
    assumeTrue(
        shell(temp, "mkdir $1 && { echo 256M > $2 || { rmdir $1; false; } }", group, limit).status()
            == 0,
        "no groups");
    try {
      String inside = "echo $$ > $1/cgroup.procs; ";
      GdsProcess shown =
          shell(
              temp,
              inside + "$GDS config show --memory 25% --json | grep '\"store.memory\"'",
              group);
      assertTrue(shown.out().contains(Integer.toString(64 << 20)), shown.out() + shown.err());
      Path store = temp.resolve("store");
      GdsProcess much = shell(temp, inside + "$GDS load $2 $3 --memory 95%", group, store, input());
      String refusal = much.failure(ExitStatus.USAGE);
      assertTrue(refusal.contains("256.0 MiB") && refusal.contains("-Xmx"), refusal);
      assertTrue(Files.notExists(store));
      GdsProcess some = shell(temp, inside + "$GDS load $2 $3 --memory 25%", group, store, input());
      assertEquals(ExitStatus.OK, some.status(), some.err());
      assertEquals(RECORDS, gds("scan", store).ok().lines().count());
    } finally {
      shell(temp, "rmdir $1", group).quiet(0);
    }
  }

  @Test
  void percentagesLeaveRoomForTheHeap() {
    long gib = 1L << 30;
    assertEquals(gib, StoreMemory.bytes("store.memory", "25%", 4 * gib, gib));
    assertEquals(3 * gib, StoreMemory.bytes("store.memory", "75%", 4 * gib, gib));
    assertEquals(4 * gib, StoreMemory.bytes("store.memory", "4G", 4 * gib, gib));
    IllegalArgumentException refusal =
        assertThrows(
            IllegalArgumentException.class,
            () -> StoreMemory.bytes("store.memory", "76%", 4 * gib, gib));
    assertTrue(refusal.getMessage().contains("leaves 75 %"), refusal.getMessage());
    assertTrue(refusal.getMessage().endsWith(": store.memory=76%"), refusal.getMessage());
  }

  @Test
  void littleLockedMemoryCostsFixedBuffersOrTheRing() throws Exception {
    String nobody = nobody(temp);
    Path home = Files.createDirectory(temp.resolve("home"));
    shell(temp, "chmod 711 $1; chown 65534 $2", temp, home).quiet(0);
    Path store = home.resolve("store");
    String of = "prlimit --memlock=%d:%1$d " + nobody;
    shell(temp, of.formatted(8 << 20) + "$GDS put $1 key value", store).quiet(ExitStatus.OK);
    GdsProcess stats = shell(temp, of.formatted(8 << 20) + "$GDS stats $1", store);
    assertTrue(stats.quiet(0).out().contains("URING: io_uring with"), stats.out());
    GdsProcess none = shell(temp, of.formatted(0) + "$GDS stats $1", store);
    String engine = none.quiet(0).out();
    assumeTrue(!engine.contains("URING: io_uring"), "this kernel does not count rings");
    assertTrue(engine.contains("POOL: ") && engine.contains("limit of locked memory"), engine);
    String insisted =
        shell(temp, of.formatted(0) + "$GDS get $1 key --engine uring", store).failure(1);
    assertTrue(insisted.contains("the engine URING is not available"), insisted);
  }

  @Test
  void withoutTheRingThereAreThreads() throws Exception {
    assumeTrue("amd64".equals(System.getProperty("os.arch")), "numbers of system calls");
    Path script = Files.writeString(temp.resolve("no-uring.pl"), NO_URING);
    assumeTrue(shell(temp, "perl $1 true", script).status() == 0, "no perl, or no filters");
    Path store = temp.resolve("store");
    shell(temp, "perl $1 $GDS put $2 key value", script, store).quiet(ExitStatus.OK);
    GdsProcess stats = shell(temp, "perl $1 $GDS stats $2", script, store);
    String reason = "io_uring is forbidden to this process, probably by the container's seccomp";
    String engine = stats.quiet(ExitStatus.OK).out();
    assertTrue(engine.contains("POOL: ") && engine.contains(reason), engine);
    GdsProcess insisted = shell(temp, "perl $1 $GDS get $2 key --engine uring", script, store);
    String refusal = insisted.failure(ExitStatus.FAILED);
    assertTrue(refusal.contains("the engine URING is not available: " + reason), refusal);
  }

  /** On a machine of its own, whose memory loses all that is written when it ends. */
  @Test
  @EnabledIfSystemProperty(named = RUNNER, matches = ".+")
  void withoutTheRingThereAreThreadsInGuests() throws Exception {
    String line =
        "$GDS put /tmp/store key value && $GDS get /tmp/store key && $GDS stats /tmp/store";
    String runner = System.getProperty(RUNNER).strip();
    GdsProcess guest =
        shell(
            temp,
            runner + " --sysctl kernel.io_uring_disabled=2 --memlock 8192 -- bash -c \"$1\"",
            line);
    assertEquals(ExitStatus.OK, guest.status(), guest.err() + guest.out());
    assertTrue(guest.out().contains("value\n"), guest.out());
    assertTrue(guest.out().contains("POOL: "), guest.out());
    assertTrue(guest.out().contains("kernel.io_uring_disabled=2"), guest.out());
  }
}
