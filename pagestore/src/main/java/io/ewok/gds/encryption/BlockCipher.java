package io.ewok.gds.encryption;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.Key;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;

/**
 * AES-GCM between memory outside of the heap. The JDK takes bytes from the heap only, and copies
 * what lies elsewhere in small pieces into new arrays; so bytes are copied here once, into arrays
 * that stay.
 *
 * <p>Nonce: the place, 8 bytes, and 4 zeros. Additional data: the context, 8 bytes, and what stays
 * plain before the bytes, if there is such.
 *
 * <p>Threads: confined to one at a time.
 */
public final class BlockCipher {
  static final int TAG_BYTES = 16;

  private static final int TAG_BITS = TAG_BYTES * Byte.SIZE;
  private static final int NONCE_BYTES = 12;

  /** What is at most on the heap of what is sealed, and of what is opened as a rule. */
  private static final int PIECE_BYTES = 32 << 10;

  /** The longest that is kept to be opened. */
  private static final int KEPT_BYTES_MAX = 64 << 10;

  /** Longest head that can stay plain, in bytes. */
  static final int HEAD_BYTES_MAX = 64;

  /** Most that comes out when all pieces were sealed, in bytes: what had stayed, and the tag. */
  public static final int END_BYTES_MAX = 2 * TAG_BYTES;

  /** Of AES: so many bytes may stay in the cipher between two pieces. */
  private static final int CIPHER_BLOCK_BYTES = 16;

  private final Cipher cipher;
  private final byte[] nonce = new byte[NONCE_BYTES];
  private final byte[] context = new byte[Long.BYTES + HEAD_BYTES_MAX];
  private final MemorySegment head = MemorySegment.ofArray(context).asSlice(Long.BYTES);
  private final byte[] bytes = new byte[PIECE_BYTES + CIPHER_BLOCK_BYTES + TAG_BYTES];
  private final MemorySegment piece = MemorySegment.ofArray(bytes);

  /** Where pieces go that do not come alone: what had stayed would be written over the next. */
  private byte[] out;

  /** What is opened and longer than a piece. */
  private byte[] kept;

  /** A cipher for whoever seals in pieces, see {@link FileKey#begin}. */
  public BlockCipher() {
    try {
      cipher = Cipher.getInstance("AES/GCM/NoPadding");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK can do this", e);
    }
  }

  private void init(int mode, Key key, long place, long ofContext, long headFrom, int headBytes) {
    ByteBuffer.wrap(nonce).order(ByteOrder.LITTLE_ENDIAN).putLong(place);
    ByteBuffer.wrap(context).order(ByteOrder.LITTLE_ENDIAN).putLong(ofContext);
    Memory.copyTo(headFrom, head, 0, headBytes);
    try {
      cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
      cipher.updateAAD(context, 0, Long.BYTES + headBytes);
    } catch (GeneralSecurityException e) {
      // The JDK remembers the last nonce: whatever has sealed twice at one place ends here.
      throw new IllegalStateException("cannot seal or open: place=" + place, e);
    }
  }

  void seal(
      Key key,
      long place,
      long ofContext,
      long headFrom,
      int headBytes,
      long from,
      int lengthBytes,
      long to,
      long tag) {
    init(Cipher.ENCRYPT_MODE, key, place, ofContext, headFrom, headBytes);
    if (lengthBytes > PIECE_BYTES) {
      sealPieces(from, lengthBytes, to, tag);
      return;
    }
    Memory.copyTo(from, piece, 0, lengthBytes);
    try {
      int sealed = cipher.doFinal(bytes, 0, lengthBytes, bytes, 0);
      Memory.copyFrom(piece, 0, to, sealed - TAG_BYTES);
      Memory.copyFrom(piece, (long) sealed - TAG_BYTES, tag, TAG_BYTES);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the piece has room for all of it", e);
    }
  }

  /** What comes out of a piece never ends behind it, so that nothing is written over in place. */
  private void sealPieces(long from, int lengthBytes, long to, long tag) {
    int written = 0;
    for (int done = 0; done < lengthBytes; done += PIECE_BYTES) {
      int length = Math.min(PIECE_BYTES, lengthBytes - done);
      written += update(from + done, length, to + written);
    }
    int last = finish();
    Memory.copyFrom(MemorySegment.ofArray(out), 0, to + written, last - TAG_BYTES);
    Memory.copyFrom(MemorySegment.ofArray(out), (long) last - TAG_BYTES, tag, TAG_BYTES);
  }

  void begin(Key key, long place, long ofContext) {
    init(Cipher.ENCRYPT_MODE, key, place, ofContext, 0, 0);
  }

  /**
   * Seals the next piece.
   *
   * @param from its address
   * @param lengthBytes of it, at most {@link #pieceBytesMax}
   * @param to address of what comes out of it, and of what had stayed of those before; may be
   *     {@code from} if nothing has stayed
   * @return how many bytes came out: not all of them, or up to 15 more
   */
  public int update(long from, int lengthBytes, long to) {
    if (out == null) {
      out = new byte[bytes.length];
    }
    Memory.copyTo(from, piece, 0, lengthBytes);
    try {
      int length = cipher.update(bytes, 0, lengthBytes, out, 0);
      Memory.copyFrom(MemorySegment.ofArray(out), 0, to, length);
      return length;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the piece has room for all of it", e);
    }
  }

  /** The longest piece, in bytes. */
  public static int pieceBytesMax() {
    return PIECE_BYTES;
  }

  /**
   * Ends what came in pieces.
   *
   * @param to address of what had stayed, and of the tag behind it; at least one piece came before
   * @return how many bytes came out, at most {@link #END_BYTES_MAX}
   */
  public int end(long to) {
    int length = finish();
    Memory.copyFrom(MemorySegment.ofArray(out), 0, to, length);
    return length;
  }

  private int finish() {
    try {
      return cipher.doFinal(out, 0);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the piece has room for all of it", e);
    }
  }

  boolean open(
      Key key,
      long place,
      long ofContext,
      long headFrom,
      int headBytes,
      long from,
      int lengthBytes,
      long to,
      long tag) {
    init(Cipher.DECRYPT_MODE, key, place, ofContext, headFrom, headBytes);
    // The JDK gives nothing out before it has seen the tag, so it must have all of it.
    boolean isShort = lengthBytes <= PIECE_BYTES;
    MemorySegment memory = isShort ? piece : MemorySegment.ofArray(longer(lengthBytes));
    Memory.copyTo(from, memory, 0, lengthBytes);
    Memory.copyTo(tag, memory, lengthBytes, TAG_BYTES);
    byte[] array = (byte[]) memory.heapBase().orElseThrow();
    try {
      int out = cipher.doFinal(array, 0, lengthBytes + TAG_BYTES, array, 0);
      Memory.copyFrom(memory, 0, to, out);
      return true;
    } catch (AEADBadTagException e) {
      return false;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the array has room for all of it", e);
    }
  }

  private byte[] longer(int lengthBytes) {
    if (lengthBytes > KEPT_BYTES_MAX) {
      return new byte[lengthBytes + TAG_BYTES];
    }
    if (kept == null) {
      kept = new byte[KEPT_BYTES_MAX + TAG_BYTES];
    }
    return kept;
  }
}
