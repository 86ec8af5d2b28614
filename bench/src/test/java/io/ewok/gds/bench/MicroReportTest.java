package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.annotations.Group;

class MicroReportTest {
  @Test
  void casesNameBenchmarksAndParametersThatExist() {
    for (AllocationCase one : MicroReport.all()) {
      for (String method : one.methods()) {
        String name = AllocationCase.methodName(method);
        assertTrue(
            Arrays.stream(one.benchmark().getMethods()).anyMatch(each -> isCalled(each, name)),
            () -> one.benchmark() + " has no " + name);
        for (String parameter : one.parameters(method).keySet()) {
          assertTrue(
              Arrays.stream(one.benchmark().getFields())
                      .anyMatch(field -> field.getName().equals(parameter))
                  || Arrays.stream(one.benchmark().getClasses())
                      .flatMap(type -> Arrays.stream(type.getFields()))
                      .anyMatch(field -> field.getName().equals(parameter)),
              () -> one.benchmark() + " has no " + parameter);
        }
      }
    }
  }

  private static boolean isCalled(Method method, String name) {
    return method.getName().equals(name)
        || (method.isAnnotationPresent(Group.class)
            && method.getAnnotation(Group.class).value().equals(name));
  }

  @Test
  void parameterCanMakeTheRival() {
    List<AllocationCase> found = MicroReport.named(List.of("Memtable.*get$")).get("lsm");
    assertEquals(1, found.size());
    AllocationCase get = found.getFirst();
    assertEquals("get", AllocationCase.methodName(get.rivals().getFirst()));
    assertEquals(Map.of("candidate", "heap"), get.parameters(get.rivals().getFirst()));
  }

  @Test
  void namesLeaveCasesThatHaveOursAndARival() {
    Map<String, List<AllocationCase>> found =
        MicroReport.named(List.of("PairBenchmark.(slabShard|malloc)$", "PoolHitBenchmark"));
    assertEquals(List.of("allocator", "bufferpool"), List.copyOf(found.keySet()));
    for (AllocationCase one : found.get("allocator")) {
      assertEquals(List.of("slabShard", "malloc"), one.methods());
    }
    assertTrue(
        MicroReport.named(List.of("PairBenchmark.slabShard$")).isEmpty(), "no rival is left");
  }

  @Test
  void roundsEndWhenTheTimeIsOver() throws Exception {
    Rounds rounds = Rounds.quick(3, 0);
    AllocationCase one = MicroReport.all().getFirst();
    rounds.measure(List.of(one), List.of(), List.of());
    assertFalse(rounds.isMeasured(one));
    assertEquals(List.of(), rounds.compareNanos("allocator", List.of(one)));
  }

  @Test
  void wrongArgumentsAreRefused(@TempDir Path directory) throws Exception {
    assertEquals(0, MicroReport.run("--help"));
    assertEquals(2, MicroReport.run("--quick", "-prof", "gc"));
    assertEquals(2, MicroReport.run("--quick", "NoSuchBenchmark"));
    assertEquals(2, MicroReport.run("--quick", "("));
    assertEquals(2, MicroReport.run("PairBenchmark", "--rounds"));
    assertEquals(2, MicroReport.run("--html", directory.toString()));
    try (var left = Files.list(directory)) {
      assertEquals(0, left.count());
    }
  }
}
