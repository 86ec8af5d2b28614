package io.ewok.gds.ffm;

/**
 * A thread that turns an event loop, and so makes no call that may wait in the kernel: all that the
 * loop serves would wait with it. An assertion finds such calls, see {@link LinuxThreads#mayBlock}.
 *
 * <p>Threads: asked on the thread itself.
 */
public interface EventThread {
  /** Returns whether its loop is turning: neither before its first turn nor after its last. */
  boolean turning();
}
