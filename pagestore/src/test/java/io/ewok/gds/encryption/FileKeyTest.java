package io.ewok.gds.encryption;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnknownKeyException;
import io.ewok.gds.pagestore.WrongKeyException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import javax.crypto.Cipher;
import javax.crypto.KDF;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileKeyTest {
  private static final Path PATH = Path.of("/file");
  private static final int TAG_BYTES = FileKey.TAG_BYTES;

  private final Arena arena = Arena.ofConfined();
  private final KeySource keys = source(5, (byte) 9);
  private final SplittableRandom random = new SplittableRandom(1);

  private static KeySource source(int known, byte filling) {
    return new KeySource() {
      @Override
      public int currentId() {
        return known;
      }

      @Override
      public byte[] key(int id) {
        byte[] key = new byte[KEY_BYTES];
        Arrays.fill(key, filling);
        return id == known ? key : null;
      }
    };
  }

  @AfterEach
  void release() {
    arena.close();
  }

  private FileKey key(String purpose) throws StorageException {
    return FileKey.createOrNull(keys, purpose, PATH);
  }

  private MemorySegment random(int bytes) {
    byte[] content = new byte[bytes];
    random.nextBytes(content);
    MemorySegment memory = arena.allocate(bytes + TAG_BYTES);
    memory.copyFrom(MemorySegment.ofArray(content));
    return memory;
  }

  /** Returns what comes out, with the tag behind it. */
  private MemorySegment seal(FileKey key, long place, long context, MemorySegment plain) {
    int bytes = (int) plain.byteSize() - TAG_BYTES;
    MemorySegment sealed = arena.allocate(plain.byteSize());
    key.seal(place, context, plain.address(), bytes, sealed.address(), sealed.address() + bytes);
    return sealed;
  }

  private boolean opens(FileKey key, long place, long context, MemorySegment sealed) {
    int bytes = (int) sealed.byteSize() - TAG_BYTES;
    MemorySegment plain = arena.allocate(sealed.byteSize());
    return key.open(
        place, context, sealed.address(), bytes, plain.address(), sealed.address() + bytes);
  }

  private static byte[] bytes(MemorySegment memory) {
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }

  /** Around the blocks of the cipher, and the pieces in which it works. */
  @ParameterizedTest
  @ValueSource(ints = {1, 15, 16, 17, 1000, 32767, 32768, 32769, 65536, 65537, 100_001, 1 << 20})
  void whatWasSealedIsOpenedAlsoWhereItIs(int bytes) throws Exception {
    FileKey key = key("test");
    MemorySegment plain = random(bytes);
    byte[] expected = bytes(plain.asSlice(0, bytes));
    MemorySegment sealed = seal(key, 4096, 3, plain);
    assertFalse(Arrays.equals(expected, bytes(sealed.asSlice(0, bytes))));
    MemorySegment opened = arena.allocate(bytes);
    long from = sealed.address();
    assertTrue(key.open(4096, 3, from, bytes, opened.address(), from + bytes));
    assertArrayEquals(expected, bytes(opened));
    long at = plain.address();
    key.seal(8192, 3, at, bytes, at, at + bytes);
    assertFalse(Arrays.equals(expected, bytes(plain.asSlice(0, bytes))));
    assertTrue(key.open(8192, 3, at, bytes, at, at + bytes));
    assertArrayEquals(expected, bytes(plain.asSlice(0, bytes)));
  }

  @Test
  void sealingTwiceAtOnePlaceIsNoticed() throws Exception {
    FileKey key = key("test");
    BlockCipher cipher = new BlockCipher();
    key.begin(cipher, 1, 0);
    key.begin(cipher, 2, 0);
    assertThrows(IllegalStateException.class, () -> key.begin(cipher, 2, 0));
  }

  @Test
  void piecesComeOutAsOneSeal() throws Exception {
    FileKey key = key("test");
    BlockCipher cipher = new BlockCipher();
    for (int bytes = 1; bytes < 200_000; bytes = bytes * 3 + 1) {
      MemorySegment plain = random(bytes);
      MemorySegment expected = seal(key, bytes, 0, plain);
      MemorySegment sealed = arena.allocate(bytes + 64L);
      key.begin(cipher, bytes, 0);
      long written = 0;
      for (int done = 0; done < bytes; ) {
        int piece = Math.min(bytes - done, 1 + random.nextInt(BlockCipher.pieceBytesMax()));
        written += cipher.update(plain.address() + done, piece, sealed.address() + written);
        done += piece;
      }
      int last = cipher.end(sealed.address() + written);
      assertTrue(last <= BlockCipher.END_BYTES_MAX);
      assertEquals(bytes + TAG_BYTES, written + last);
      assertArrayEquals(bytes(expected), bytes(sealed.asSlice(0, bytes + (long) TAG_BYTES)));
    }
  }

  /** With the JDK alone, from the tables in the documentation. */
  @Test
  void formatIsTheOneThatIsDocumented() throws Exception {
    FileKey key = key("test");
    ByteBuffer note = ByteBuffer.allocate(FileKey.NOTE_BYTES);
    key.putNote(note);
    note.flip().order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(5, note.getInt());
    int check = note.getInt();
    byte[] salt = new byte[16];
    note.get(salt);
    ByteBuffer derived =
        ByteBuffer.wrap(
                KDF.getInstance("HKDF-SHA256")
                    .deriveData(
                        HKDFParameterSpec.ofExtract()
                            .addIKM(keys.key(5))
                            .addSalt(salt)
                            .thenExpand(
                                "GDS file key 1 test".getBytes(StandardCharsets.US_ASCII), 36)))
            .order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(check, derived.getInt(32));
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    byte[] nonce = HexFormat.of().parseHex("080706050403020100000000");
    cipher.init(
        Cipher.ENCRYPT_MODE,
        new SecretKeySpec(derived.array(), 0, 32, "AES"),
        new GCMParameterSpec(128, nonce));
    cipher.updateAAD(HexFormat.of().parseHex("2a00000000000000"));
    MemorySegment plain = random(100);
    byte[] expected = cipher.doFinal(bytes(plain), 0, 100);
    assertArrayEquals(expected, bytes(seal(key, 0x0102030405060708L, 42, plain)));
  }

  @Test
  void eachBitCountsAndPlaceAndContext() throws Exception {
    FileKey key = key("test");
    MemorySegment sealed = seal(key, 8, 1, random(40));
    for (long bit = 0; bit < 8 * sealed.byteSize(); bit++) {
      byte was = sealed.get(ValueLayout.JAVA_BYTE, bit / 8);
      sealed.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) (was ^ (1 << (bit % 8))));
      assertFalse(opens(key, 8, 1, sealed), "bit " + bit);
      sealed.set(ValueLayout.JAVA_BYTE, bit / 8, was);
    }
    assertFalse(opens(key, 9, 1, sealed));
    assertFalse(opens(key, 8, 2, sealed));
    assertTrue(opens(key, 8, 1, sealed));
  }

  @Test
  void eachBitOfTheHeadCounts() throws Exception {
    FileKey key = key("test");
    int bytes = 100;
    MemorySegment head = random(FileKey.headBytesMax());
    MemorySegment sealed = random(bytes);
    byte[] plain = bytes(sealed.asSlice(0, bytes));
    long at = sealed.address();
    key.seal(8, 1, head.address(), FileKey.headBytesMax(), at, bytes, at, at + bytes);
    for (int bit = 0; bit < 8 * FileKey.headBytesMax(); bit++) {
      byte was = head.get(ValueLayout.JAVA_BYTE, bit / 8);
      head.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) (was ^ (1 << (bit % 8))));
      assertFalse(opensWith(key, head, FileKey.headBytesMax(), sealed), "bit " + bit);
      head.set(ValueLayout.JAVA_BYTE, bit / 8, was);
    }
    assertFalse(opensWith(key, head, FileKey.headBytesMax() - 1, sealed));
    assertFalse(opens(key, 8, 1, sealed));
    assertTrue(opensWith(key, head, FileKey.headBytesMax(), sealed));
    assertArrayEquals(plain, bytes(sealed.asSlice(0, bytes)));
  }

  private static boolean opensWith(
      FileKey key, MemorySegment head, int headBytes, MemorySegment sealed) {
    int bytes = (int) sealed.byteSize() - TAG_BYTES;
    long at = sealed.address();
    return key.open(8, 1, head.address(), headBytes, at, bytes, at, at + bytes);
  }

  @Test
  void keysOfOneFileAreAskedForOnceAndAreThoseOfNoOther() throws Exception {
    int[] asked = {0};
    KeySource counting =
        new KeySource() {
          @Override
          public int currentId() {
            return 5;
          }

          @Override
          public byte[] key(int id) {
            asked[0]++;
            return keys.key(id);
          }
        };
    KeySource file = new DerivedKeys(counting, new byte[] {1}, "file");
    FileKey key = FileKey.createOrNull(file, "part", PATH);
    MemorySegment sealed = seal(key, 0, 0, random(10));
    ByteBuffer note = ByteBuffer.allocate(FileKey.NOTE_BYTES);
    key.putNote(note);
    note.flip();
    assertTrue(opens(FileKey.read(file, note, "part", PATH, 0), 0, 0, sealed));
    assertEquals(1, asked[0]);
    for (KeySource other :
        new KeySource[] {
          new DerivedKeys(keys, new byte[] {2}, "file"),
          new DerivedKeys(keys, new byte[] {1}, "other"),
          new DerivedKeys(source(5, (byte) 8), new byte[] {1}, "file"),
          keys
        }) {
      assertThrows(
          WrongKeyException.class, () -> FileKey.read(other, note.rewind(), "part", PATH, 0));
    }
    assertNull(file.key(6));
    assertThrows(
        UnknownKeyException.class,
        () ->
            FileKey.read(
                new DerivedKeys(KeySource.NONE, new byte[] {1}, "file"),
                note.rewind(),
                "part",
                PATH,
                0));
    assertArrayEquals(
        KDF.getInstance("HKDF-SHA256")
            .deriveData(
                HKDFParameterSpec.ofExtract()
                    .addIKM(keys.key(5))
                    .addSalt(new byte[] {1})
                    .thenExpand("GDS file key 1 file".getBytes(StandardCharsets.US_ASCII), 32)),
        file.key(5));
  }

  @Test
  void noTwoPlacesFilesOrPurposesAreSealedAlike() throws Exception {
    MemorySegment plain = arena.allocate(100 + TAG_BYTES);
    FileKey key = key("test");
    byte[] here = bytes(seal(key, 0, 0, plain));
    byte[] there = bytes(seal(key, 1, 0, plain));
    byte[] elsewhere = bytes(seal(key("test"), 0, 0, plain));
    assertFalse(Arrays.equals(here, there));
    assertFalse(Arrays.equals(here, elsewhere));
    FileKey one = FileKey.derive(keys, 5, new byte[16], "one", PATH);
    FileKey other = FileKey.derive(keys, 5, new byte[16], "other", PATH);
    assertFalse(opens(other, 0, 0, seal(one, 0, 0, plain)));
  }

  @Test
  void keyNoteLeadsToTheKeyOfTheSamePurposeAlone() throws Exception {
    FileKey key = key("test");
    ByteBuffer note = ByteBuffer.allocate(FileKey.NOTE_BYTES);
    key.putNote(note);
    MemorySegment sealed = seal(key, 0, 0, random(10));
    assertTrue(opens(FileKey.read(keys, note.flip(), "test", PATH, 0), 0, 0, sealed));
    assertThrows(
        WrongKeyException.class, () -> FileKey.read(keys, note.rewind(), "other", PATH, 0));
    assertThrows(
        WrongKeyException.class,
        () -> FileKey.read(source(5, (byte) 8), note.rewind(), "test", PATH, 0));
    UnknownKeyException unknown =
        assertThrows(
            UnknownKeyException.class,
            () -> FileKey.read(source(6, (byte) 9), note.rewind(), "test", PATH, 0));
    assertEquals(5, unknown.keyId());
    note.putInt(0, 0);
    assertThrows(
        CorruptFileException.class, () -> FileKey.read(keys, note.rewind(), "test", PATH, 0));
  }

  @Test
  void aKeyOfAnotherLengthIsRefused() {
    KeySource shorter =
        new KeySource() {
          @Override
          public int currentId() {
            return 1;
          }

          @Override
          public byte[] key(int id) {
            return new byte[16];
          }
        };
    assertThrows(
        StorageException.class, () -> FileKey.createOrNull(shorter, "test", PATH), "16 bytes");
  }

  @Test
  void withoutACurrentKeyNothingIsSealed() throws Exception {
    assertNull(FileKey.createOrNull(KeySource.NONE, "test", PATH));
    assertNull(SealedBytes.sealOrNull(KeySource.NONE, "test", 0, new byte[4], PATH));
  }

  @Test
  void bytesOnTheHeapAreOpenedAtTheirPlaceAlone() throws Exception {
    byte[] plain = {1, 2, 3};
    byte[] sealed = SealedBytes.sealOrNull(keys, "test", 7, plain, PATH);
    assertArrayEquals(plain, SealedBytes.open(keys, "test", 7, ByteBuffer.wrap(sealed), PATH, 0));
    assertThrows(
        CorruptFileException.class,
        () -> SealedBytes.open(keys, "test", 8, ByteBuffer.wrap(sealed), PATH, 0));
    assertThrows(
        CorruptFileException.class,
        () -> SealedBytes.open(keys, "test", 7, ByteBuffer.wrap(sealed, 0, 30), PATH, 0));
  }
}
