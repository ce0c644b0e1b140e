package org.liminix.testkit.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test class that runs on a bench of its own.
 *
 * <pre>{@code
 * @Testbench
 * class PppoeIT {
 *   @Part final Spec<BorderNetworkGateway> isp = BorderNetworkGateway.likeLiminix().spec();
 *   @Part final VmSpec router = Vm.mipsel().image(image).network(LAN, ACCESS).spec();
 *
 *   @Test
 *   void dialsTheIsp(BorderNetworkGateway isp, Vm router) {
 *     isp.awaitSession(Duration.ofSeconds(60));
 *   }
 * }
 * }</pre>
 *
 * <p>Fields marked {@link Part} hold specs. Those of static fields are started once, on one bench
 * for the whole class; those of instance fields anew for every test, on a bench of that test, or on
 * that of the class where it has one; a nested class stands on the bench of the class around it
 * unless it is marked {@code @Testbench} itself. Tests and lifecycle methods take what runs as
 * parameters, see {@link Part}, or the {@link org.liminix.testkit.Bench} itself.
 *
 * <p>When a test fails, the consoles' transcripts and captures of all networks are kept in a
 * directory that the failure names: below {@code target/testbench}, {@code build/testbench} where
 * Gradle builds, or what the configuration parameter {@value TestbenchExtension#ARTIFACTS} says.
 * Where the parameter {@value TestbenchExtension#PAUSE} is {@code true}, as with {@code mvn verify
 * -Dliminix.pause=true}, the test then stands still, see {@link org.liminix.testkit.Bench#pause()}.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(TestbenchExtension.class)
public @interface Testbench {}
