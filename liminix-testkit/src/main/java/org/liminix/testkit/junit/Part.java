package org.liminix.testkit.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * On a field of a {@link Testbench} class: the {@link org.liminix.net.Spec} it holds is started
 * before each test, or before all if the field is static, in the order of the fields (JUnit's
 * {@code @Order} on fields takes precedence).
 *
 * <p>On a parameter: which field's part is meant. It is needed only where several parts have the
 * parameter's type and none of their fields has its name.
 */
@Documented
@Target({ElementType.FIELD, ElementType.PARAMETER})
@Retention(RetentionPolicy.RUNTIME)
public @interface Part {
  /** The name of the field; on a field itself, nothing. */
  String value() default "";
}
