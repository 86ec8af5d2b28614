package io.ewok.gds.reactor;

/** Something of our own to be run on a loop's thread. */
abstract class LoopCall extends Message {
  /** Runs on the loop's thread. */
  abstract void run();

  /** The reactor has ended first. */
  abstract void refused(Throwable cause);
}
