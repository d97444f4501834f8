/** Is everything as it should be: the configuration, and all that it hangs on. */
export { examine } from './doctor';
export { misread, readWell, worstOf, type Finding, type Grade } from './finding';
export { reviewPlugins } from './review';
export { subjectOf, type CatalogLook, type PolicyReview, type Subject, type Surroundings } from './subject';
