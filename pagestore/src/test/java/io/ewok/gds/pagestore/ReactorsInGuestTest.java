package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.testing.VirtualMachine;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Reactors on machines that this one is not; see {@link EnginesInGuestTest}. The program takes
 * {@code --append}, too: words for the kernel.
 */
@EnabledIfSystemProperty(named = VirtualMachine.RUNNER, matches = ".+")
class ReactorsInGuestTest {
  private static final String FILE =
      System.getProperty(VirtualMachine.RUNNER + ".folder", "/scratch") + "/reactors";

  @TempDir Path directory;

  /** Runs {@link ReactorsGuest} with settings in a new machine; returns what it told. */
  private Map<String, String> guest(List<String> settings, String... machine) throws Exception {
    List<String> arguments = Stream.concat(Stream.of(FILE), settings.stream()).toList();
    String text = VirtualMachine.run(directory, List.of(machine), ReactorsGuest.class, arguments);
    Map<String, String> told = new TreeMap<>();
    text.lines()
        .filter(line -> line.startsWith(EngineGuest.PREFIX))
        .map(line -> line.substring(EngineGuest.PREFIX.length()).split("=", 2))
        .forEach(fact -> told.put(fact[0], fact[1]));
    assertEquals("5", told.get("read"), text);
    return told;
  }

  @Test
  void memoryIsServedOnItsNode() throws Exception {
    Map<String, String> told =
        guest(
            List.of("reactor.count=2", "reactor.nodes=0-1"),
            "--nodes",
            "2",
            "--mem-per-node",
            "1024");
    assertEquals("0", told.get("remote"), told.toString());
    assertEquals("0", told.get("served0"), told.toString());
    assertEquals("10", told.get("remoteOfFiber"), told.toString());
  }

  /** Where the machine gives the driver the words that it is started with. */
  @Test
  void deviceThatCanBePolledIs() throws Exception {
    Map<String, String> told = guest(List.of("io.io-poll=true"), "--append", "nvme.poll_queues=1");
    String description = told.get("description");
    assertTrue(description.contains(", devices polled"), told.toString());
    boolean canBe = told.get("canPoll").equals("1");
    assertEquals(canBe, !description.contains("but for 1 files"), told.toString());
  }
}
