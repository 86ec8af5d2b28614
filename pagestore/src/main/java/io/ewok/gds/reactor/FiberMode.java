package io.ewok.gds.reactor;

/** Who runs the fibers of a reactor. */
public enum FiberMode {
  /** The reactor where the JVM lets it, the JVM otherwise. */
  AUTO,
  /** The reactor, on its own thread; an error where the JVM does not let it. */
  REACTOR,
  /** The JVM: ordinary virtual threads, which run beside each other and beside the reactor. */
  VIRTUAL
}
