package io.ewok.gds.pagestore;

import java.util.List;
import java.util.Objects;

/**
 * Which engine was chosen, and why not a better one.
 *
 * @param chosen name of the chosen engine
 * @param rejections the better engines that were tried, best first; empty if the best was taken or
 *     the choice was forced
 */
public record EngineChoice(String chosen, List<Rejection> rejections) {

  /** Copies the list. */
  public EngineChoice {
    Objects.requireNonNull(chosen, "chosen");
    rejections = List.copyOf(rejections);
  }

  /**
   * An engine that this machine does not allow.
   *
   * @param kind the engine
   * @param reason one clause for people, such as "disabled by kernel.io_uring_disabled=2"
   */
  public record Rejection(EngineKind kind, String reason) {}

  /** Returns "; URING rejected: reason" for each rejection, empty if there is none. */
  String rejectionClauses() {
    StringBuilder clauses = new StringBuilder();
    for (Rejection rejection : rejections) {
      clauses.append("; ").append(rejection.kind()).append(" rejected: ");
      clauses.append(rejection.reason());
    }
    return clauses.toString();
  }
}
