package io.ewok.gds.bench;

import io.ewok.gds.bench.curves.Curves;
import java.io.IOException;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Measures everything once a round, each of ours between two runs of fio on the same file. What
 * disturbs the device for a while so disturbs ours and fio alike, and a ratio is taken of
 * neighbours.
 */
final class IoRounds {
  private static final double NANOS_PER_MILLI = 1e6;

  /** The part of the time of a pass that the compiler may take in the last one of the warm-up. */
  private static final double COMPILING_MAX = 0.02;

  private static final int PASSES_MAX = 4;

  private final int count;
  private final long watchedNanos;
  private final BenchFile file;
  private final Optional<Fio> fio;

  /** One element a round. */
  private final Map<Key, List<Neighbours>> measured = new HashMap<>();

  /** How long operations took, by case and who did them; ours first. */
  private final Map<IoCase, Map<String, Curves>> curves = new LinkedHashMap<>();

  private record Key(IoCase one, IoContender contender) {}

  /** Ours, and fio before and after, which are null where there is none. */
  private record Neighbours(IoSample before, IoSample ours, IoSample after) {}

  IoRounds(int count, long watchedNanos, BenchFile file, Optional<Fio> fio) {
    this.count = count;
    this.watchedNanos = watchedNanos;
    this.file = file;
    this.fio = fio;
  }

  /** Measures, and says on the error stream how far it is. */
  void measure(List<IoCase> cases) throws IOException, InterruptedException {
    warmUp(cases);
    try (Progress progress = Progress.ofRounds(count, cases.stream().mapToInt(this::runs).sum())) {
      for (int round = 0; round < count; round++) {
        for (IoCase one : cases) {
          progress.begin(round, one.name(), runs(one));
          measure(one, round);
        }
      }
    }
    time(cases);
  }

  /**
   * Once more, each of ours and fio, with a look at the clock before and after each operation. What
   * was measured has none of them: they cost up to one part in a hundred.
   */
  private void time(List<IoCase> cases) throws IOException, InterruptedException {
    try (Progress progress =
        Progress.of(
            "latencies", cases.stream().mapToInt(one -> one.contenders().size() + 1).sum())) {
      for (IoCase one : cases) {
        Map<String, Curves> own = new LinkedHashMap<>();
        for (IoContender contender : one.contenders()) {
          progress.begin("latencies: " + one.name(), 1);
          try (IoLoad load = contender.open(one, file)) {
            own.put(contender.name(one), load.time(watchedNanos));
          }
        }
        progress.begin("latencies: " + one.name() + ", fio", 1);
        if (fio.isPresent()) {
          own.put("fio", fio.get().time(one, file, watchedNanos));
        }
        curves.put(one, own);
      }
    }
  }

  /** Returns the curves of a case, by who made them. */
  Map<String, Curves> curves(IoCase one) {
    return curves.get(one);
  }

  /** All of ours equally often, until the compiler is done with them. */
  private void warmUp(List<IoCase> cases) throws IOException, InterruptedException {
    CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    boolean compiled = true;
    int ours = cases.stream().mapToInt(one -> one.contenders().size()).sum();
    try (Progress progress = Progress.of("warming up", (long) PASSES_MAX * ours)) {
      for (int pass = 0; pass < PASSES_MAX && compiled; pass++) {
        long millis = compiler.getTotalCompilationTime();
        long nanos = System.nanoTime();
        for (IoCase one : cases) {
          for (IoContender contender : one.contenders()) {
            progress.begin("warming up: " + one.name(), 1);
            run(one, contender);
          }
        }
        double compiling = (compiler.getTotalCompilationTime() - millis) * NANOS_PER_MILLI;
        compiled = compiling > COMPILING_MAX * (System.nanoTime() - nanos);
      }
    }
  }

  private int runs(IoCase one) {
    int ours = one.contenders().size();
    return fio.isPresent() ? 2 * ours + 1 : ours;
  }

  /** Each round begins with another contender. */
  private void measure(IoCase one, int round) throws IOException, InterruptedException {
    List<IoContender> contenders = new ArrayList<>(one.contenders());
    Collections.rotate(contenders, round);
    IoSample before = runFio(one);
    for (IoContender contender : contenders) {
      IoSample ours = run(one, contender);
      IoSample after = runFio(one);
      measured
          .computeIfAbsent(new Key(one, contender), key -> new ArrayList<>())
          .add(new Neighbours(before, ours, after));
      before = after;
    }
  }

  private IoSample runFio(IoCase one) throws IOException, InterruptedException {
    return fio.isPresent() ? fio.get().run(one, file, watchedNanos) : null;
  }

  private IoSample run(IoCase one, IoContender contender) throws IOException, InterruptedException {
    try (IoLoad load = contender.open(one, file)) {
      return load.run(watchedNanos);
    } catch (IOException e) {
      throw new IOException(
          "the run failed: case=%s contender=%s".formatted(one.name(), contender.name(one)), e);
    }
  }

  boolean hasFio() {
    return fio.isPresent();
  }

  /** Returns a number of ours, one element a round. */
  double[] ours(IoCase one, IoContender contender, ToDoubleFunction<IoSample> number) {
    return neighbours(one, contender).mapToDouble(of -> number.applyAsDouble(of.ours)).toArray();
  }

  /** Returns the mean of fio before and after ours, one element a round. */
  double[] fio(IoCase one, IoContender contender, ToDoubleFunction<IoSample> number) {
    return neighbours(one, contender)
        .mapToDouble(of -> (number.applyAsDouble(of.before) + number.applyAsDouble(of.after)) / 2)
        .toArray();
  }

  /** Returns fio before each of ours, one element a round and contender. */
  double[] fioBefore(IoCase one, ToDoubleFunction<IoSample> number) {
    return neighbours(one).mapToDouble(of -> number.applyAsDouble(of.before)).toArray();
  }

  /** Returns fio after each of ours, in the order of {@link #fioBefore}. */
  double[] fioAfter(IoCase one, ToDoubleFunction<IoSample> number) {
    return neighbours(one).mapToDouble(of -> number.applyAsDouble(of.after)).toArray();
  }

  private Stream<Neighbours> neighbours(IoCase one) {
    return one.contenders().stream().flatMap(contender -> neighbours(one, contender));
  }

  private Stream<Neighbours> neighbours(IoCase one, IoContender contender) {
    return measured.get(new Key(one, contender)).stream();
  }
}
