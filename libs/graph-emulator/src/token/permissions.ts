// Application permissions of Microsoft Graph that Stint's connector may ask for, with the ids that Microsoft gave them
// (Microsoft Graph permissions reference). The emulator knows no others.

export const permissionIds = {
  'AdministrativeUnit.Read.All': '134fd756-38ce-4afd-ba33-e9623dbe66c2',
  'Application.Read.All': '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
  'Application.ReadWrite.OwnedBy': '18a4783c-866b-4cc7-a460-3d5e5662c884',
  'Directory.Read.All': '7ab1d382-f21e-4acd-a863-ba3e13f7da61',
  'Directory.ReadWrite.All': '19dbc75e-c2e2-444c-a770-ec69d8559fc7',
  'Domain.Read.All': 'dbb9058a-0e50-45d7-ae91-66909b5d4664',
  'Group.Read.All': '5b567255-7703-4780-807c-7be8301ae99b',
  'Group.ReadWrite.All': '62a82d76-70ea-41e2-9197-370581804d09',
  'GroupMember.Read.All': '98830695-27a2-44f7-8c18-0c3ebc9698f6',
  'GroupMember.ReadWrite.All': 'dbaae8cf-10b5-4b86-a4a1-f871c94c6695',
  'Organization.Read.All': '498476ce-e0fe-48b0-b801-37ba7e2685c6',
  'Policy.Read.All': '246dd0d5-5bd0-4def-940b-0421030a5b68',
  'Policy.Read.AuthenticationMethod': '8e3bc81b-d2f3-4b7c-838c-32c88218d2f0',
  'RoleAssignmentSchedule.Read.Directory': 'd5fe8ce8-684c-4c83-a52c-46e882ce4be1',
  'RoleAssignmentSchedule.ReadWrite.Directory': 'dd199f4a-f148-40a4-a2ec-f0069cc799ec',
  'RoleManagement.Read.Directory': '483bed4a-2ad3-4361-a73b-c83ccdbdc53c',
  'RoleManagement.ReadWrite.Directory': '9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8',
  'User.DeleteRestore.All': 'eccc023d-eccf-4e7b-9683-8813ab36cecc',
  'User.EnableDisableAccount.All': '3011c876-62b7-4ada-afa2-506cbbecc68c',
  'User.Read.All': 'df021288-bdef-4463-88db-98f22de89214',
  'User.ReadWrite.All': '741f803b-c850-494e-b5df-cde7c675a1ca',
  'User.RevokeSessions.All': '77f3a031-c388-4f99-b373-dc68676a979e',
  'User-PasswordProfile.ReadWrite.All': 'cc117bb9-00cf-4eb8-b580-ea2a878fe8f7',
  'UserAuthenticationMethod.Read.All': '38d9df27-64da-44fd-b7c5-a6fbac20248f',
  'UserAuthenticationMethod.ReadWrite.All': '50483e42-d915-4231-9639-7fdb7fd190e5',
} as const;

/** An application permission of Microsoft Graph, by its name. */
export type GraphPermission = keyof typeof permissionIds;

/** Application id of Microsoft Graph itself, the same in every tenant. */
export const microsoftGraphAppId = '00000003-0000-0000-c000-000000000000';

// Which of them open which kind of endpoint: any one does (Microsoft Graph reference, "Permissions" of each call).
const directory = ['Directory.Read.All', 'Directory.ReadWrite.All'] as const;
const roles = ['RoleManagement.Read.Directory', 'RoleManagement.ReadWrite.Directory'] as const;

export const allows = {
  readUsers: ['User.Read.All', 'User.ReadWrite.All', ...directory],
  writeUsers: ['User.ReadWrite.All', 'Directory.ReadWrite.All'],
  changeUsers: ['User.ReadWrite.All', 'Directory.ReadWrite.All', 'User.EnableDisableAccount.All', 'User-PasswordProfile.ReadWrite.All'],
  enableUsers: ['User.ReadWrite.All', 'Directory.ReadWrite.All', 'User.EnableDisableAccount.All'],
  resetPasswords: ['User-PasswordProfile.ReadWrite.All'],
  revokeSessions: ['User.RevokeSessions.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'],
  deleteUsers: ['User.DeleteRestore.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'],
  readGroups: ['Group.Read.All', 'Group.ReadWrite.All', 'GroupMember.Read.All', 'GroupMember.ReadWrite.All', ...directory],
  writeMembers: ['GroupMember.ReadWrite.All', 'Group.ReadWrite.All', 'Directory.ReadWrite.All'],
  readRoles: [...roles, ...directory],
  writeRoles: ['RoleManagement.ReadWrite.Directory'],
  readSchedules: ['RoleAssignmentSchedule.Read.Directory', 'RoleAssignmentSchedule.ReadWrite.Directory', ...roles],
  writeSchedules: ['RoleAssignmentSchedule.ReadWrite.Directory', 'RoleManagement.ReadWrite.Directory'],
  readPasses: ['UserAuthenticationMethod.Read.All', 'UserAuthenticationMethod.ReadWrite.All'],
  writePasses: ['UserAuthenticationMethod.ReadWrite.All'],
  readPolicies: ['Policy.Read.AuthenticationMethod', 'Policy.Read.All'],
  readOrganization: ['Organization.Read.All', ...directory],
  readDomains: ['Domain.Read.All', ...directory],
  readApps: ['Application.Read.All', 'Application.ReadWrite.OwnedBy', ...directory],
  writeOwnApp: ['Application.ReadWrite.OwnedBy'],
  readUnits: ['AdministrativeUnit.Read.All', ...directory],
} satisfies Record<string, readonly GraphPermission[]>;
