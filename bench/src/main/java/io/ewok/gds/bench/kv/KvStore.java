package io.ewok.gds.bench.kv;

import java.io.IOException;

/**
 * An open store, ours or a rival's, as the workloads see it.
 *
 * <p>Ownership: whoever opened it closes it, after its sessions. Threads: any.
 */
interface KvStore extends AutoCloseable {
  /** Returns what one thread uses the store by. */
  KvSession session(KvBuffers buffers) throws IOException;

  /** Writes out what is in memory and waits until nothing is left to do in the background. */
  void settle() throws IOException, InterruptedException;

  @Override
  void close() throws IOException;
}
