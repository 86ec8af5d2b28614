package io.ewok.gds.bench;

import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * The contender that all threads of a benchmark share, chosen by the name of the benchmark. It ends
 * with the fork: JMH closes a shared state while other threads are still closing theirs.
 */
@State(Scope.Benchmark)
public class SharedContender {
  /** Enough for the largest live set. */
  static final int SLOTS = 1 << 14;

  Contender contender;

  /** Called by JMH. */
  @Setup
  public void open(BenchmarkParams params) {
    open(params.getBenchmark());
  }

  void open(String name) {
    AllocationSuite.polluteProfiles();
    contender = Contenders.open(name, SLOTS);
  }
}
