/**
 * Copies the packages of an image to a directory, and writes what they are: `copy-image-packages.ts agent|platform DIRECTORY [OS_PACKAGES]`.
 * The list, `sbom.cdx.json`, is CycloneDX. OS_PACKAGES is a file of `name version architecture` lines, as dpkg-query writes them.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imagePackages, isImageTarget, packageClosure } from './local-cluster/images/package-closure.ts';
import { billOfMaterials } from './local-cluster/images/bill-of-materials.ts';

const [target = '', directory, osPackages] = process.argv.slice(2);
if (!isImageTarget(target) || directory === undefined)
  throw new Error('usage: copy-image-packages.ts agent|platform DIRECTORY [OS_PACKAGES]');
const packages = packageClosure('.', imagePackages('.', target));
for (const { path } of packages) cpSync(path, join(directory, path), { recursive: true, verbatimSymlinks: true });
const debian = osPackages === undefined ? '' : readFileSync(osPackages, 'utf8');
const bill = await billOfMaterials({ root: '.', target, packages, debian });
writeFileSync(join(directory, 'sbom.cdx.json'), `${JSON.stringify(bill, undefined, 2)}\n`);
