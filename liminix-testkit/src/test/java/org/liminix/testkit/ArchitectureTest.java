package org.liminix.testkit;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Who may know whom, across modules and between the packages of one. */
class ArchitectureTest {
  private static final JavaClasses LIBRARY =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("org.liminix");

  private static final String[] CORE = {
    "org.liminix.process..", "org.liminix.net..", "org.liminix.console..", "org.liminix.image.."
  };
  private static final String[] TESTKIT = {"org.liminix.testkit..", "org.liminix.isp.."};

  @Test
  void coreStandsOnNothing() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage(CORE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                "org.liminix.qemu..",
                "org.liminix.tftp..",
                "org.liminix.uboot..",
                "org.liminix.testkit..",
                "org.liminix.isp.."));
  }

  @Test
  void qemuTftpAndUbootDoNotKnowEachOther() {
    check(
        SlicesRuleDefinition.slices()
            .matching("org.liminix.(qemu|tftp|uboot)..")
            .should()
            .notDependOnEachOther());
  }

  @Test
  void onlyTheTestkitKnowsItself() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages(TESTKIT)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(TESTKIT));
  }

  @Test
  void processesAndImagesKnowNothingElseOfCore() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage("org.liminix.process..", "org.liminix.image..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.liminix.net..", "org.liminix.console.."));
  }

  @Test
  void networksKnowNoConsoles() {
    check(
        noClasses()
            .that()
            .resideInAPackage("org.liminix.net..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.liminix.console..", "org.liminix.image.."));
  }

  @Test
  void packagesHaveNoCycles() {
    check(SlicesRuleDefinition.slices().matching("org.liminix.(*)..").should().beFreeOfCycles());
  }

  @Test
  void onlyTheJunitPackageKnowsJunit() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("org.liminix.testkit.junit..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.junit..", "org.opentest4j.."));
  }

  @Test
  void exportedClassesCannotBeExtended() {
    check(
        classes()
            .that()
            .arePublic()
            .and()
            .areTopLevelClasses()
            .and()
            .areNotInterfaces()
            .and()
            .areNotEnums()
            .and()
            .areNotAssignableTo(Throwable.class)
            .should()
            .haveModifier(com.tngtech.archunit.core.domain.JavaModifier.FINAL));
  }

  @Test
  void nothingSleeps() {
    check(
        noClasses()
            .should()
            .callMethod(Thread.class, "sleep", long.class)
            .orShould()
            .callMethod(TimeUnit.class, "sleep", long.class)
            .orShould()
            .callMethod(LockSupport.class, "parkNanos", long.class));
  }

  private static void check(ArchRule rule) {
    rule.check(LIBRARY);
  }
}
