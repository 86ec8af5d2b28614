package io.ewok.gds.bench;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Exchanger;
import java.util.concurrent.Future;
import java.util.concurrent.Phaser;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The walls between the layers, and what only one place may do. */
class ArchitectureTest {
  /** Lowest first. A package may use those before it; the reactor and the page store are one. */
  private static final List<String> LAYERS =
      List.of(
          "ffm",
          "allocator",
          "reactor",
          "pagestore",
          "encryption",
          "wal",
          "buffers",
          "lsm",
          "micrometer",
          "cli",
          "bench");

  /** Where threads may wait otherwise than on a baton, and why. */
  private static final Map<String, String> WAITS =
      Map.ofEntries(
          Map.entry("io.ewok.gds.reactor.Baton", "is what all others stand on"),
          Map.entry("io.ewok.gds.reactor.FiberScheduler", "parks a fiber for its baton"),
          Map.entry("io.ewok.gds.reactor.Fiber", "does so by the clock of its reactor"),
          Map.entry("io.ewok.gds.reactor.FiberTurn", "is waited for when the baton was posted"),
          Map.entry(
              "io.ewok.gds.reactor.FiberBuilder",
              "tries once whether a virtual thread of ours parks"),
          Map.entry(
              "io.ewok.gds.reactor.RingDriver", "idles on its own thread when the ring is lost"),
          Map.entry("io.ewok.gds.reactor.StallWatch", "idles on its own thread between two looks"),
          Map.entry("io.ewok.gds.reactor.Reactor", "joins its ending thread"),
          Map.entry("io.ewok.gds.pagestore.PoolEngine", "joins its ending threads"),
          Map.entry("io.ewok.gds.pagestore.Pacer", "joins its ending thread"),
          Map.entry(
              "io.ewok.gds.pagestore.BlockingCalls",
              "has platform threads of its own idle for calls"),
          Map.entry("io.ewok.gds.lsm.Background", "joins its ending thread"));

  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.ewok.gds");

  @ParameterizedTest
  @ValueSource(
      strings = {"ffm", "allocator", "reactor", "pagestore", "encryption", "wal", "buffers", "lsm"})
  void layerKnowsNoHigherOne(String layer) {
    assertTrue(MAIN.stream().anyMatch(resideInAPackage(packages(layer))), "no class in " + layer);
    noHigherThan(layer).check(MAIN);
  }

  @Test
  void commandLineDoesNotKnowTheBenchmarks() {
    noClasses()
        .that()
        .resideInAPackage(packages("cli"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage(packages("bench"))
        .check(MAIN);
  }

  @Test
  void restrictedCallsLiveInTheBindingsAlone() {
    restrictedCallsOutside("io.ewok.gds.ffm..").check(MAIN);
  }

  /** Nothing but a rival: what the C library would do instead of us. */
  private static boolean isRival(JavaClass type) {
    return type.getFullName().equals("io.ewok.gds.bench.Malloc");
  }

  @Test
  void nobodyUsesUnsafe() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("sun.misc.Unsafe")
        .orShould()
        .dependOnClassesThat()
        .resideInAPackage("jdk.internal..")
        .check(MAIN);
  }

  @Test
  void randomnessIsSeeded() {
    JavaClasses withTests = new ClassFileImporter().importPackages("io.ewok.gds");
    noClasses()
        .should()
        .callConstructor(Random.class)
        .orShould()
        .callMethod(Math.class, "random")
        .because("a failure must be replayable from its seed")
        .check(withTests);
  }

  @Test
  void whoWaitsStandsOnBaton() {
    waitsOutside(WAITS.keySet()).check(MAIN);
  }

  /** The rule sees each of these waits, and none that has gone is still allowed. */
  @Test
  void whoMayWaitOtherwiseDoes() {
    for (String place : WAITS.keySet()) {
      Set<String> others = new HashSet<>(WAITS.keySet());
      others.remove(place);
      assertThrows(AssertionError.class, () -> waitsOutside(others).check(MAIN), place);
    }
  }

  @Test
  void wallsAreNotBlind() {
    assertThrows(AssertionError.class, () -> noHigherThan("pagestore", "ffm").check(MAIN));
    assertThrows(AssertionError.class, () -> restrictedCallsOutside("nowhere..").check(MAIN));
  }

  private static ArchRule noHigherThan(String layer) {
    return noHigherThan(layer, layer.equals("reactor") ? "pagestore" : layer);
  }

  private static ArchRule noHigherThan(String layer, String highest) {
    List<String> higher = new ArrayList<>();
    for (String name : LAYERS.subList(LAYERS.indexOf(highest) + 1, LAYERS.size())) {
      if (!name.equals(layer)) {
        higher.add(packages(name));
      }
    }
    return noClasses()
        .that()
        .resideInAPackage(packages(layer))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(higher.toArray(new String[0]));
  }

  private static ArchRule restrictedCallsOutside(String allowed) {
    DescribedPredicate<JavaClass> outside =
        DescribedPredicate.not(
                resideInAPackage(allowed)
                    .or(DescribedPredicate.describe("the rival", ArchitectureTest::isRival)))
            .as("outside " + allowed + " and the rival");
    return noClasses()
        .that(outside)
        .should()
        .dependOnClassesThat()
        .areAssignableTo(Linker.class)
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(SymbolLookup.class)
        .orShould()
        .callMethod(MemorySegment.class, "reinterpret", long.class)
        .orShould()
        .callMethod(System.class, "load", String.class)
        .orShould()
        .callMethod(System.class, "loadLibrary", String.class);
  }

  private static ArchRule waitsOutside(Set<String> places) {
    return noClasses()
        .that()
        .resideInAnyPackage(
            packages("reactor"),
            packages("pagestore"),
            packages("wal"),
            packages("buffers"),
            packages("lsm"))
        .and(
            DescribedPredicate.describe(
                "are not in " + places, type -> !places.contains(outermost(type).getFullName())))
        .should()
        .dependOnClassesThat(
            assignableTo(Condition.class)
                .or(assignableTo(BlockingQueue.class))
                .or(assignableTo(CountDownLatch.class))
                .or(assignableTo(CyclicBarrier.class))
                .or(assignableTo(Phaser.class))
                .or(assignableTo(Semaphore.class))
                .or(assignableTo(Exchanger.class)))
        .orShould()
        .callMethodWhere(DescribedPredicate.describe("a thread waits", ArchitectureTest::isWait));
  }

  private static JavaClass outermost(JavaClass type) {
    return type.getEnclosingClass().map(ArchitectureTest::outermost).orElse(type);
  }

  private static boolean isWait(JavaMethodCall call) {
    JavaClass owner = call.getTargetOwner();
    String name = call.getName();
    return (owner.isEquivalentTo(LockSupport.class) && name.startsWith("park"))
        || (owner.isAssignableTo(Thread.class) && List.of("sleep", "join").contains(name))
        || (owner.isAssignableTo(TimeUnit.class)
            && List.of("sleep", "timedWait", "timedJoin").contains(name))
        || (name.equals("wait") && call.getTarget().getOwner().isEquivalentTo(Object.class))
        || (owner.isAssignableTo(Future.class) && List.of("get", "join").contains(name));
  }

  private static String packages(String layer) {
    return "io.ewok.gds." + layer + "..";
  }
}
