package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TaskReportTest {
  @Test
  void casesNameBenchmarksThatExist() {
    for (AllocationCase one : TaskReport.ALL) {
      for (String name : one.methods()) {
        assertTrue(
            Arrays.stream(one.benchmark().getMethods())
                .anyMatch(method -> method.getName().equals(name)),
            () -> one.benchmark() + " has no " + name);
      }
    }
  }

  @Test
  void wrongArgumentsAreRefused() throws Exception {
    assertEquals(2, TaskReport.COMMAND.run("--fast"));
    assertEquals(0, TaskReport.COMMAND.run("--help"));
  }
}
