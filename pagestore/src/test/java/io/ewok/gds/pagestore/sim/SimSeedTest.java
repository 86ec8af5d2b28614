package io.ewok.gds.pagestore.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A seed means the same crash for ever: tests elsewhere are worth what their seeds found. If one of
 * these hashes changes, so do hundreds of crash tests, silently.
 */
class SimSeedTest {
  private static final List<Path> DIRECTORIES = List.of(Path.of("/a"), Path.of("/b"));

  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private final Region region = Region.map(budget, RegionOptions.ofSize(1 << 20));

  @AfterEach
  void close() {
    region.close();
  }

  @Test
  void crashesOfSmallSectorsAreGolden() throws IOException {
    assertEquals("4648722e", hashes(new SimEngine(11), 1));
  }

  @Test
  void crashesOfLargeSectorsAreGolden() throws IOException {
    assertEquals("3177f50a", hashes(new SimEngine(12, 4096), 2));
  }

  @Test
  void anotherSeedIsAnotherHash() throws IOException {
    assertNotEquals(hashes(new SimEngine(11), 1), hashes(new SimEngine(13), 1));
  }

  /** Runs a scripted load, crashes at many places and on from there; returns a hash of all. */
  private String hashes(SimEngine engine, long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    CRC32C crc = new CRC32C();
    for (int life = 0; life < 6; life++) {
      for (Path directory : DIRECTORIES) {
        engine.createDirectories(directory);
      }
      for (int step = 0; step < 120; step++) {
        step(engine, random);
        if (step % 20 == 19) {
          try (SimEngine after = engine.crash(random.nextLong())) {
            addState(crc, after);
          }
        }
      }
      addState(crc, engine);
      SimEngine next = engine.crash(random.nextLong());
      engine.close();
      engine = next;
    }
    engine.close();
    return Long.toHexString(crc.getValue());
  }

  private void step(SimEngine engine, SplittableRandom random) throws IOException {
    Path path = path(random);
    int unit = 4096;
    int choice = random.nextInt(20);
    try {
      if (choice == 0 && engine.exists(path)) {
        engine.delete(path);
      } else if (choice == 1 && engine.exists(path)) {
        engine.rename(path, path(random));
      } else if (choice < 4) {
        engine.syncDirectory(path.getParent());
      } else if (choice == 4) {
        engine.failNth(SimOperation.SYNC, 1 + random.nextInt(3), Errno.EIO);
      } else if (choice == 5) {
        engine.failNth(SimOperation.WRITE, 1 + random.nextInt(9), Errno.EIO);
      } else {
        try (IoFile file =
            engine.open(path, engine.exists(path) ? OpenMode.READ_WRITE : OpenMode.CREATE_NEW)) {
          change(file, random, choice, unit);
        }
      }
    } catch (StorageException expected) {
      // Asked for above. What it leaves behind is part of the state.
    }
  }

  private void change(IoFile file, SplittableRandom random, int choice, int unit)
      throws IOException {
    for (int count = 1 + random.nextInt(4); count > 0; count--) {
      int length = (1 + random.nextInt(5)) * unit;
      region.segment().asSlice(0, length).fill((byte) random.nextInt(1, 128));
      file.write((long) random.nextInt(30) * unit, region, 0, length);
    }
    switch (choice) {
      case 6 -> file.truncate(random.nextInt(100_000));
      case 7 -> file.preallocate(random.nextInt(100_000), random.nextInt(100_000));
      case 8, 9, 10, 11 -> file.sync();
      default -> {}
    }
  }

  private static Path path(SplittableRandom random) {
    Path directory = DIRECTORIES.get(random.nextInt(DIRECTORIES.size()));
    return directory.resolve("f" + random.nextInt(4));
  }

  private void addState(CRC32C crc, SimEngine engine) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path directory : DIRECTORIES) {
      files.addAll(engine.list(directory));
    }
    for (Path path : files) {
      try (IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
        int aligned = (int) ((file.sizeBytes() + 4095) & -4096);
        int count = file.read(0, region, 0, aligned);
        crc.update((path + " " + file.sizeBytes()).getBytes(StandardCharsets.UTF_8));
        crc.update(region.segment().asSlice(0, count).asByteBuffer());
      }
    }
    crc.update((int) engine.syncCount());
  }
}
