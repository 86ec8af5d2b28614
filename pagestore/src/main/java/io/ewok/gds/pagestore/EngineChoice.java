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
   * @param code the reason, for programs
   * @param reason one clause for people, such as "disabled by kernel.io_uring_disabled=2"
   */
  public record Rejection(EngineKind kind, Code code, String reason) {
    /** Checks. */
    public Rejection {
      Objects.requireNonNull(kind, "kind");
      Objects.requireNonNull(code, "code");
      Objects.requireNonNull(reason, "reason");
    }
  }

  /** Why an engine cannot be had. */
  public enum Code {
    /** The administrator switched io_uring off ({@code kernel.io_uring_disabled}). */
    DISABLED_BY_SYSCTL,
    /** The call is refused to this process, as container runtimes do by seccomp. */
    SECCOMP,
    /** The limit of locked memory is too small; the reason has need and have. */
    NO_MEMLOCK,
    /** The kernel has no io_uring. */
    NOT_IN_KERNEL,
    /** The kernel's io_uring lacks an operation; the reason names it. */
    MISSING_OPERATION,
    /** Anything else. */
    FAILED
  }

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
