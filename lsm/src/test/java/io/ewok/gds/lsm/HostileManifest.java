package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueReferences;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/** A manifest that was changed on purpose by somebody who made all checksums right again. */
final class HostileManifest {
  private static final Path PATH = Path.of("/manifest/MANIFEST");
  private static final int FRAMES = 3;

  private final SimEngine engine = new SimEngine(1);
  private final byte[] sound;
  private final List<Patches.Part> frames = new ArrayList<>();
  private final Region region;

  HostileManifest() throws IOException {
    engine.createDirectories(PATH.getParent());
    byte[] file = new byte[0];
    Manifest manifest = Manifest.EMPTY;
    for (int i = 1; i <= FRAMES; i++) {
      ManifestEdit edit =
          manifest
              .edit()
              .withCreated()
              .withNextNumber(10L * i)
              .withHorizon(100L * i, 10L * i)
              .addingValues(List.of(new ValueFileMeta(10L * i - 2, 0, 4096, 2, 100)))
              .adding(0, List.of(meta(3 * i).withReferences(references(10L * i - 2))))
              .adding(1, List.of(meta(3 * i + 1).writtenAt(1_000L * i)))
              .creating(new FamilyEdit(i, "family" + i, "sum", new WriteTimes(i, List.of())));
      if (i == FRAMES) {
        edit = edit.dropping(1);
      }
      if (i > 1) {
        TableMeta cloned = manifest.main().level(0).getFirst().clonedTo(10L * i - 1, i);
        edit = edit.removing(manifest.main().level(1)).adding(2, List.of(cloned));
      }
      byte[] frame = ManifestFormat.encode(edit, file.length);
      int recordBytes = ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN).getInt(8);
      frames.add(new Patches.Part(file.length, ManifestFormat.HEADER_BYTES + recordBytes));
      file = Arrays.copyOf(file, file.length + frame.length);
      System.arraycopy(frame, 0, file, file.length - frame.length, frame.length);
      manifest = manifest.after(edit);
    }
    sound = file;
    region = Region.map(MemoryBudget.root("test", file.length), RegionOptions.ofSize(file.length));
    engine.open(PATH, OpenMode.CREATE_NEW).close();
  }

  private static ValueReferences references(long file) {
    ValueReferences.Counter counter = new ValueReferences.Counter();
    counter.add(file, 60);
    return counter.references();
  }

  private static TableMeta meta(int number) {
    return new TableMeta(
        number,
        4096,
        10,
        1,
        1,
        5,
        MemorySegment.ofArray(Fixtures.bytes("key" + number)),
        MemorySegment.ofArray(Fixtures.bytes("key" + number + "9")));
  }

  /** Reads a manifest with these changes. Returns whether it was refused. */
  boolean isRefused(byte[] input, int from) throws IOException {
    byte[] changed = sound.clone();
    Patches.apply(input, from, MemorySegment.ofArray(changed), frames);
    frames.forEach(frame -> seal(changed, (int) frame.offset()));
    MemorySegment.copy(MemorySegment.ofArray(changed), 0, region.segment(), 0, changed.length);
    try (IoFile file = engine.open(PATH, OpenMode.READ_WRITE)) {
      file.write(0, region, 0, changed.length);
    }
    Manifest manifest;
    try {
      manifest = ManifestLog.open(engine, PATH).current();
    } catch (IOException e) {
      return true;
    }
    byte[] snapshot = ManifestFormat.encode(manifest.snapshot(), 0);
    Manifest again = Manifest.EMPTY.after(ManifestFormat.decode(PATH, snapshot, 0));
    assertArrayEquals(snapshot, ManifestFormat.encode(again.snapshot(), 0));
    return false;
  }

  private static void seal(byte[] file, int offset) {
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int length = bytes.getInt(offset + ManifestFormat.LENGTH_OFFSET);
    if (length >= 0 && length <= file.length - offset - ManifestFormat.HEADER_BYTES) {
      CRC32C crc = new CRC32C();
      crc.update(file, offset, ManifestFormat.CHECKSUM_OFFSET);
      crc.update(
          file,
          offset + ManifestFormat.POSITION_OFFSET,
          ManifestFormat.HEADER_BYTES - ManifestFormat.POSITION_OFFSET + length);
      bytes.putInt(offset + ManifestFormat.CHECKSUM_OFFSET, (int) crc.getValue());
    }
  }
}
