package io.ewok.gds.allocator.numa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Trees of files as the kernel shows them, and as it never should. */
class SysfsTopologyTest {
  private static final String NODES = "sys/devices/system/node/";

  @TempDir private Path root;

  private void file(String name, String text) throws IOException {
    Path path = root.resolve(name);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private void node(int id, String cpus, long memoryKib, String distances) throws IOException {
    String directory = NODES + "node" + id + "/";
    String prefix = "Node " + id + " ";
    file(directory + "cpulist", cpus + "\n");
    file(directory + "distance", distances + "\n");
    file(
        directory + "meminfo",
        prefix
            + "MemTotal:       "
            + memoryKib
            + " kB\n"
            + prefix
            + "MemFree:        "
            + memoryKib / 2
            + " kB\n"
            + prefix
            + "MemUsed:        "
            + memoryKib / 2
            + " kB\n"
            + prefix
            + "HugePages_Total:     0\n");
  }

  private void twoNodes() throws IOException {
    file(NODES + "online", "0-1\n");
    node(0, "0-1", 2048, "10 21");
    node(1, "2-3", 4096, "21 10");
    file("sys/devices/system/cpu/online", "0-3\n");
    file("proc/meminfo", "MemTotal:           6144 kB\nMemFree:            3072 kB\n");
  }

  private static BitSet cpus(int from, int to) {
    BitSet cpus = new BitSet();
    cpus.set(from, to + 1);
    return cpus;
  }

  private void assertOneNode(String reason) {
    NumaTopology topology = NumaTopology.read(root);
    assertEquals(
        List.of(new NumaNode(0, cpus(0, 3), 6144L << 10, 3072L << 10, List.of(10))),
        topology.nodes());
    assertTrue(topology.fallbackReason().contains(reason), topology.fallbackReason());
    assertEquals(0, topology.currentNode());
  }

  @Test
  void nodesAreReadAsTheKernelShowsThem() throws IOException {
    twoNodes();
    NumaTopology topology = NumaTopology.read(root);
    assertEquals("", topology.fallbackReason());
    assertEquals(
        List.of(
            new NumaNode(0, cpus(0, 1), 2048L << 10, 1024L << 10, List.of(10, 21)),
            new NumaNode(1, cpus(2, 3), 4096L << 10, 2048L << 10, List.of(21, 10))),
        topology.nodes());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8})
  void anyNumberOfNodesIsRead(int count) throws IOException {
    file(NODES + "online", count == 1 ? "0\n" : "0-" + (count - 1) + "\n");
    for (int id = 0; id < count; id++) {
      StringBuilder distances = new StringBuilder();
      for (int to = 0; to < count; to++) {
        distances.append(to == id ? "10 " : "20 ");
      }
      node(id, 2 * id + "," + (2 * id + 1), 1024, distances.toString().strip());
    }
    NumaTopology topology = NumaTopology.read(root);
    assertEquals("", topology.fallbackReason());
    assertEquals(count, topology.nodes().size());
    assertEquals(count - 1, topology.nodeOfCpu(2 * count - 1));
  }

  @Test
  void gapsAndNodesWithoutCpusOrMemoryAreRead() throws IOException {
    file(NODES + "online", "0,2-3\n");
    node(0, "0-1,4", 2048, "10 20 30");
    node(2, "", 4096, "20 10 40");
    node(3, "2-3", 0, "30 40 10");
    NumaTopology topology = NumaTopology.read(root);
    assertEquals("", topology.fallbackReason());
    assertTrue(topology.node(2).cpus().isEmpty());
    assertFalse(topology.node(3).hasMemory());
    assertEquals(40, topology.distance(3, 2));
    assertEquals(0, topology.nodeOfCpu(4));
  }

  @Test
  void withoutTheFolderAllIsOneNode() throws IOException {
    file("sys/devices/system/cpu/online", "0-3\n");
    file("proc/meminfo", "MemTotal:           6144 kB\nMemFree:            3072 kB\n");
    assertOneNode("NoSuchFileException");
  }

  @Test
  void withoutAnyFileAllIsOneNodeOfUnknownSize() {
    NumaTopology topology = NumaTopology.read(root);
    assertEquals(1, topology.nodes().size());
    NumaNode node = topology.node(0);
    assertEquals(Runtime.getRuntime().availableProcessors(), node.cpus().cardinality());
    assertEquals(Long.MAX_VALUE, node.memoryBytes());
    assertTrue(node.hasMemory());
    assertFalse(topology.fallbackReason().isEmpty());
  }

  @ParameterizedTest
  @CsvSource({
    "online, ''",
    "online, nonsense",
    "online, 0-",
    "online, 1-0",
    "online, 5-2",
    "online, 0-99999999999999",
    "online, 0-1024",
    "online, 0-2",
    "node0/cpulist, a-b",
    "node0/cpulist, 0-8192",
    "node0/cpulist, 0-2",
    "node0/distance, ''",
    "node0/distance, ten",
    "node0/distance, 10",
    "node0/distance, 10 21 21",
    "node0/distance, 0 21",
    "node0/distance, -10 21",
    "node0/distance, 99999999999 21",
    "node0/meminfo, ''",
    "node0/meminfo, Node 0 MemTotal: 5 kB",
    "node0/meminfo, Node 0 MemFree: 5 kB",
    "node0/meminfo, Node 0 MemTotal: lots kB",
    "node0/meminfo, Node 0 MemTotal: 9999999999999999999 kB"
  })
  void malformedFileMakesAllOneNode(String name, String text) throws IOException {
    twoNodes();
    file(NODES + name, text + "\n");
    assertOneNode("the nodes cannot be read: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"online", "node1/cpulist", "node1/distance", "node1/meminfo"})
  void missingOrUnreadableFileMakesAllOneNodeAndIsNamed(String name) throws IOException {
    twoNodes();
    Files.delete(root.resolve(NODES + name));
    assertOneNode(NODES + name);
    Files.createDirectory(root.resolve(NODES + name));
    assertOneNode("the nodes cannot be read: ");
  }

  @Test
  void bytesThatAreNoTextMakeAllOneNode() throws IOException {
    twoNodes();
    Files.write(root.resolve(NODES + "node0/cpulist"), new byte[] {0, -1, -2, 10, 0x1b});
    assertOneNode("node0/cpulist");
  }

  @Test
  void thisMachineIsRead() {
    NumaTopology topology = NumaTopology.read();
    assertFalse(topology.nodes().isEmpty());
    assertFalse(topology.nodesWithMemory().isEmpty());
    assertTrue(topology.toString().startsWith("NumaTopology[node"), topology.toString());
  }
}
