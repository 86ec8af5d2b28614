package io.ewok.gds.bench;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The walls between the layers, and what only one place may do. */
class ArchitectureTest {
  /** Lowest first. A package may use those before it; the reactor and the page store are one. */
  private static final List<String> LAYERS =
      List.of("ffm", "allocator", "reactor", "pagestore", "wal", "buffers", "lsm", "cli", "bench");

  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.ewok.gds");

  @ParameterizedTest
  @ValueSource(strings = {"ffm", "allocator", "reactor", "pagestore", "wal", "buffers", "lsm"})
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

  private static String packages(String layer) {
    return "io.ewok.gds." + layer + "..";
  }
}
