/**
 * U-Boot image formats, scripts and the prompt.
 *
 * <p>Formats: {@link org.liminix.uboot.UImage}, {@link org.liminix.uboot.Fit}, {@link
 * org.liminix.uboot.DeviceTree}, {@link org.liminix.uboot.ElfImage} and {@link
 * org.liminix.uboot.FirmwareImage}.
 */
package org.liminix.uboot;
