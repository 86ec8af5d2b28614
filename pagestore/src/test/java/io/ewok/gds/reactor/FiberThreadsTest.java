package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class FiberThreadsTest {
  /** What a child JVM runs: says who runs the fibers, or why the reactor does not start. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws Exception {
      System.out.println("reason: " + FiberThreads.reason());
      try (Reactor reactor = Reactor.start(ReactorOptions.defaults())) {
        System.out.println("reactor runs fibers: " + reactor.runsFibers());
        System.out.println(
            "thread: " + reactor.submit(() -> Thread.currentThread().isVirtual()).get());
      } catch (java.io.IOException e) {
        System.out.println("refused: " + e.getCause().getMessage());
      }
    }
  }

  @Test
  void theTestsThemselvesHaveTheFlag() {
    assertNull(FiberThreads.reason());
  }

  @Test
  void theSelfTestPassesOnVirtualThreadsToo() throws Exception {
    List<String> found = new ArrayList<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                found.add(FiberBuilder.find().tryOut());
              } catch (ReflectiveOperationException e) {
                found.add(e.toString());
              }
            })
        .join();
    assertEquals(Arrays.asList((String) null), found);
  }

  @Test
  void anExecutorThatLosesThreadsIsNoticed() throws Exception {
    FiberBuilder real = FiberBuilder.find();
    // A builder that knows no executors: its threads go to the JVM's.
    FiberBuilder deaf =
        new FiberBuilder(
            Class.forName("java.lang.ThreadBuilders$VirtualThreadBuilder")
                .getDeclaredConstructor(Executor.class),
            real.virtualThread(),
            real.scheduler());
    assertThrows(IllegalAccessException.class, deaf::tryOut);
    FiberBuilder otherClass = new FiberBuilder(real.constructor(), Thread.class, real.scheduler());
    assertNotNull(otherClass.tryOut());
  }

  @Test
  void theExecutorOfAThreadIsKnown() {
    List<Runnable> ready = new ArrayList<>();
    Executor executor = ready::add;
    Thread ours = FiberThreads.unstarted(executor, "ours", () -> {});
    assertSame(executor, FiberThreads.schedulerOf(ours));
    assertNull(FiberThreads.schedulerOf(Thread.currentThread()));
    assertFalse(FiberThreads.schedulerOf(Thread.ofVirtual().unstarted(() -> {})) == executor);
  }

  @Test
  void withTheFlagTheReactorRunsFibersUnlessItIsToldNotTo() throws Exception {
    assertTrue(child("--add-opens=java.base/java.lang=ALL-UNNAMED").contains("fibers: true"));
    String told = child("--add-opens=java.base/java.lang=ALL-UNNAMED", "-Dgds.fibers=virtual");
    assertTrue(told.contains("fibers: false"), told);
    assertTrue(told.contains("thread: true"), told);
  }

  @Test
  void withoutTheFlagTheJvmRunsThemAndTheReasonNamesIt() throws Exception {
    String output = child();
    assertTrue(
        output.contains("reason: it takes --add-opens java.base/java.lang=ALL-UNNAMED"), output);
    assertTrue(output.contains("fibers: false"), output);
    assertTrue(output.contains("thread: true"), output);
    String forced = child("-Dgds.fibers=reactor");
    assertTrue(
        forced.contains(
            "refused: reactors cannot run fibers here, fibers=reactor: it takes --add-opens"),
        forced);
  }

  private static String child(String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of(arguments));
    command.addAll(List.of("-cp", classPath(), Child.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), output);
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  private static String classPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
