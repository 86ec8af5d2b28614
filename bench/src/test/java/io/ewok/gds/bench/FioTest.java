package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.bench.curves.Curves;
import io.ewok.gds.pagestore.SyncMethod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FioTest {
  private static final String OUTPUT =
      """
      fio: a warning about something
      {
        "fio version" : "fio-3.33",
        "jobs" : [ {
          "jobname" : "gds-bench",
          "error" : %d,
          "job options" : { "iops" : "none", "runtime" : "500ms" },
          "read" : { "iops" : %s, "runtime" : 501, "lat_ns" : { "N" : 7 } },
          "write" : { "iops" : 0.0, "runtime" : 0 },
          "sync" : { "total_ios" : 9 },
          "job_runtime" : 500
        } ],
        "disk_util" : [ { "name" : "vda", "read_ios" : 17559 } ]
      }
      """;

  @Test
  void rateIsThatOfTheJob() throws IOException {
    assertEquals(45728.5, Fio.perSecond(OUTPUT.formatted(0, "45728.5")));
  }

  @Test
  void latenciesAreThoseThatItTells() throws IOException {
    String output =
        """
        { "jobs" : [ { "read" : { "lat_ns" : { "N" : 200, "percentile" : { "50.000000" : 84480,
          "99.000000" : 120000, "99.900000" : 130000 } } },
          "write" : { "lat_ns" : { "N" : 0, "percentile" : { "50.000000" : 0 } } } } ] }
        """;
    List<Double> micros = Fio.latencyMicros(output);
    assertEquals(Curves.PERCENTILES.size(), micros.size());
    assertEquals(84.48, micros.get(Curves.PERCENTILES.indexOf(50.0)));
    assertEquals(120.0, micros.get(Curves.PERCENTILES.indexOf(99.0)));
    double beyond = micros.get(Curves.PERCENTILES.indexOf(99.9));
    assertTrue(Double.isNaN(beyond), "one of two hundred is no thousandth part: " + beyond);
  }

  @Test
  void errorsAreNotTakenForResults() {
    assertThrows(IOException.class, () -> Fio.perSecond(OUTPUT.formatted(5, "45728.5")));
    assertThrows(IOException.class, () -> Fio.perSecond(OUTPUT.formatted(0, "0.0")));
    assertThrows(IOException.class, () -> Fio.perSecond("fio: no such file"));
    IOException lacking =
        assertThrows(IOException.class, () -> Fio.perSecond("{\"jobs\" : [ { \"error\" : 0 } ]}"));
    assertTrue(lacking.getMessage().endsWith("/jobs/0/read/iops"), lacking::getMessage);
  }

  @Test
  void fioIsFoundOnThePathAlone(@TempDir Path directory) throws IOException {
    String path = "/nowhere::" + directory;
    assertTrue(Fio.find(path).isEmpty());
    Path program = Files.createFile(directory.resolve("fio"));
    assertTrue(Fio.find(path).isEmpty(), "it cannot be run");
    assertTrue(program.toFile().setExecutable(true));
    assertTrue(Fio.find(path).isPresent());
  }

  @Test
  void commandAsksForWhatOursDo(@TempDir Path directory) throws IOException {
    assertTrue(Files.createFile(directory.resolve("fio")).toFile().setExecutable(true));
    Fio fio = Fio.find(directory.toString()).orElseThrow();
    try (BenchFile file = BenchFile.named(directory.resolve("a:b"), 16 << 20)) {
      for (IoCase one : IoCase.ALL) {
        List<String> command = fio.command(one, file, 1_500_000_000);
        assertTrue(
            command.containsAll(
                List.of(
                    "--ioengine=io_uring",
                    "--direct=1",
                    "--fixedbufs=1",
                    "--registerfiles=1",
                    "--norandommap=1",
                    "--randrepeat=0",
                    "--runtime=1500ms",
                    "--size=16777216",
                    "--filename=" + directory + "/a\\:b",
                    "--iodepth=" + one.depth(),
                    "--bs=" + one.blockBytes())),
            command::toString);
        assertEquals(one.sync() == SyncMethod.DSYNC, command.contains("--sync=dsync"));
        assertEquals(one.sync() == SyncMethod.FDATASYNC, command.contains("--fdatasync=1"));
        assertFalse(one.isSynced() && !one.pattern().isWrite, "a read is not synced");
      }
    }
  }
}
