/** The company's own tenant, and one that belongs to somebody else and must never be trusted. */
export const HOME_TENANT_ID = '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03';
export const FOREIGN_TENANT_ID = 'b71e0d94-2c5f-4a83-8f16-d09c3a64e7b2';
