package io.ewok.gds.pagestore;

/** The engines that {@link IoEngines} can open. */
public enum EngineKind {
  /** The best that this machine allows: URING if its probe passes, else POOL. */
  AUTO,

  /** Linux io_uring, driven from Java. Containers commonly forbid it. */
  URING,

  /** A pool of platform threads that call pread, pwrite and fdatasync. Runs everywhere. */
  POOL
}
