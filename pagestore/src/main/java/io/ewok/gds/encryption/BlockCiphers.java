package io.ewok.gds.encryption;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Ciphers at rest, of which each thread takes one while it needs it: virtual threads have none of
 * their own. A cipher keeps the last key it had.
 *
 * <p>Threads: any.
 */
final class BlockCiphers {
  private static final AtomicReferenceArray<BlockCipher> IDLE =
      new AtomicReferenceArray<>(
          Math.max(8, Integer.highestOneBit(4 * Runtime.getRuntime().availableProcessors())));

  private BlockCiphers() {}

  static BlockCipher take() {
    int first = (int) Thread.currentThread().threadId();
    for (int i = 0; i < IDLE.length(); i++) {
      int slot = (first + i) & (IDLE.length() - 1);
      BlockCipher idle = IDLE.getPlain(slot);
      // The acquire's partner is giveBack: what the last user left in it is seen.
      if (idle != null && IDLE.compareAndSet(slot, idle, null)) {
        return idle;
      }
    }
    return new BlockCipher();
  }

  static void giveBack(BlockCipher cipher) {
    int first = (int) Thread.currentThread().threadId();
    for (int i = 0; i < IDLE.length(); i++) {
      int slot = (first + i) & (IDLE.length() - 1);
      if (IDLE.getPlain(slot) == null && IDLE.compareAndSet(slot, null, cipher)) {
        return;
      }
    }
    // There are enough of them.
  }
}
