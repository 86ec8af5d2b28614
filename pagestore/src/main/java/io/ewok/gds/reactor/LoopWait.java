package io.ewok.gds.reactor;

/**
 * What the loop's own thread waits for, or a fiber that cannot leave it, while it turns the loop in
 * place. Its timer ends the wait early.
 *
 * <p>Threads: confined to the loop's.
 */
final class LoopWait extends Timer {
  private Baton baton;
  private Task task;
  private boolean over;

  /**
   * Begins a wait.
   *
   * @param task the one that waits; may be null
   * @param over whether it is over already, so that a turn does not sleep
   */
  void begin(Baton baton, Task task, boolean over) {
    this.baton = baton;
    this.task = task;
    this.over = over;
  }

  /** Forgets whom it was for. */
  void end() {
    baton = null;
    task = null;
  }

  @Override
  protected void fired() {
    over = true;
  }

  /**
   * Returns whether the loop is to be left. Whoever ends the wait on another thread wakes the
   * reactor afterwards; the reactor raises its flag, then looks here.
   */
  boolean isOver() {
    return over || baton.isPosted() || (task != null && task.isCancelled());
  }
}
